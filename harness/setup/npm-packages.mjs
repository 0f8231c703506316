import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join, sep } from 'node:path';
import { isNewEnough, packagedNode } from './node-version.mjs';
import { SetupError, say, since } from './say.mjs';

/** Inside node_modules, so that removing or replacing that folder also removes the stamp. @param {string} root */
const stampOf = (root) => join(root, 'node_modules', '.harness-stamp');

/** @param {string} root */
function wantedStamp(root) {
  const hash = createHash('sha256');
  for (const file of ['package-lock.json', 'package.json']) hash.update(readFileSync(join(root, file))).update('\0');
  return hash.digest('hex');
}

/** @param {string} file */
function readOrEmpty(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Whether there is a Node for the harness: this process's own or the package's. @param {string} root */
const hasNode = (root) => isNewEnough(process.versions.node) || packagedNode(join(root, 'node_modules')) !== undefined;

/**
 * Whether node_modules is what package-lock.json says, in about 2 ms.
 * @param {string} root
 */
export function npmIsCurrent(root) {
  return hasNode(root) && readOrEmpty(stampOf(root)) === wantedStamp(root);
}

/**
 * Whether npm has installed this very lock file already, by `npm install` or before a script in package.json changed.
 * npm's own record, node_modules/.package-lock.json, tells: the same packages with the same integrity. Packages that
 * the record lacks must be optional ones, which are left out on platforms that they are not for.
 * @param {string} root
 */
export function installedMatchesLock(root) {
  const recorded = readOrEmpty(join(root, 'node_modules', '.package-lock.json'));
  if (recorded === '') return false;
  /** @type {Record<string, { version?: string, integrity?: string, optional?: boolean }>} */
  const have = JSON.parse(recorded).packages ?? {};
  /** @type {typeof have} */
  const want = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages ?? {};
  return Object.entries(want).every(([path, { version, integrity, optional }]) => {
    if (path === '') return true;
    const there = have[path];
    if (there === undefined) return optional === true;
    return there.version === version && there.integrity === integrity && existsSync(join(root, path));
  });
}

/**
 * The PATH without any node_modules: `npm ci` empties the folder that its own `node` may have been found in.
 * @param {string} path
 */
export function withoutModules(path) {
  return path
    .split(delimiter)
    .filter((folder) => !folder.split(sep).includes('node_modules'))
    .join(delimiter);
}

/** @param {string} root @param {string} program @param {string[]} args */
function run(root, program, args) {
  const env = { ...process.env, PATH: withoutModules(process.env['PATH'] ?? '') };
  const result = spawnSync(program, args, { cwd: root, env, encoding: 'utf8', maxBuffer: 64 << 20 });
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}`.trim();
  return { ok: result.status === 0, output };
}

/**
 * Whether what `npm ci` says is about the lock file (it lacks a package, has another version than package.json asks
 * for, is not there, is older than `npm ci` reads, is not JSON), and not about the network or the disk. `npm ci`
 * repairs nothing; `npm install --no-save` takes from the same lock file what is right in it, finds the rest itself,
 * and leaves the file alone.
 * @param {string} output
 */
export function refusesLock(output) {
  return /code (EUSAGE|EJSONPARSE)\b|lock ?file|package-lock|shrinkwrap/i.test(output);
}

/** npm prints its whole usage after an error; the first lines say what is wrong. @param {string} output */
const headOf = (output) => output.split('\n').slice(0, 15).join('\n');

/**
 * Settings for npm. The user's own (`NODE_ENV=production`, `omit`, `engine-strict`) are meant for their projects: this
 * one needs its development packages to run and to be tested, and packages that need a newer Node are run on one.
 */
const SETTINGS = [
  ...['--no-audit', '--no-fund', '--loglevel=error'],
  ...['--include=dev', '--include=optional', '--include=peer', '--engine-strict=false'],
];

/**
 * Brings node_modules up to date. To be called by one process at a time.
 * @param {string} root
 */
export function installNpm(root) {
  if (!installedMatchesLock(root)) {
    const startedAt = Date.now();
    say('npm packages: npm ci …');
    let { ok, output } = run(root, 'npm', ['ci', ...SETTINGS]);
    if (!ok && refusesLock(output)) {
      say(`npm packages: npm ci does not take package-lock.json:\n${headOf(output)}`);
      say('npm packages: npm install --no-save …');
      ({ ok, output } = run(root, 'npm', ['install', '--no-save', ...SETTINGS]));
    }
    if (!ok) throw new SetupError(`cannot install the npm packages: npm failed\n${headOf(output)}`, 3);
    say(`npm packages: installed in ${since(startedAt)}`);
  }
  if (!hasNode(root)) installNode(root);
  writeFileSync(stampOf(root), wantedStamp(root));
}

/**
 * The package `node` fetches its program in an install script, which npm may be configured to skip (`ignore-scripts`, a
 * list of allowed scripts). Then only this script is run: the package is pinned by the lock file and is the purpose of
 * this set-up.
 * @param {string} root
 */
function installNode(root) {
  say('npm packages: running the install script of the package node …');
  const rebuilt = run(root, 'npm', ['rebuild', 'node', '--ignore-scripts=false', '--loglevel=error']);
  if (hasNode(root)) return;
  const folder = join(root, 'node_modules', 'node');
  const direct = run(folder, 'node', ['installArchSpecificPackage.js']);
  if (hasNode(root)) return;
  throw new SetupError(
    `cannot install Node: the npm package node has no program for ${process.platform} ${process.arch}\n` +
      `${rebuilt.output}\n${direct.output}\n  next: install Node 24.15 or later and start again`,
    3,
  );
}
