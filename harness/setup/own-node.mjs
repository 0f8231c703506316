import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { say, since } from './say.mjs';

/** The npm packages of one Node version, one for each kind of machine, with a lock file that has their checksums. */
const RECIPE = join(dirname(fileURLToPath(import.meta.url)), 'node');

/** @returns {Record<string, string>} the packages' versions by name */
const packages = () => JSON.parse(readFileSync(join(RECIPE, 'package.json'), 'utf8')).optionalDependencies;

/**
 * The path of the harness's own Node for this machine, whether it exists or not.
 * @param {Record<string, string | undefined>} env
 * @returns {{ folder: string, program: string, version: string } | undefined} undefined where no package has one
 */
export function ownNode(env, machine = `${process.platform}-${process.arch}`) {
  const version = packages()[`node-${machine}`];
  if (version === undefined) return undefined;
  // As `cacheFolder` in harness/base/folders.ts.
  const cache = env['HARNESS_CACHE'] || join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'multiarch-harness');
  const folder = join(cache, 'runtime', `node-${version}`);
  return { folder, program: join(folder, 'node_modules', `node-${machine}`, 'bin', 'node'), version };
}

/**
 * The harness's own Node, installed by npm into the cache if it is not there yet. It cannot be a dependency of the
 * package: npm would link it as `node` for all scripts of the project that installs the harness.
 * @param {Record<string, string | undefined>} env
 * @returns {{ program: string } | { why: string }} why there is none
 */
export function installOwnNode(env) {
  const own = ownNode(env);
  if (own === undefined) return { why: `npm has no Node for ${process.platform} ${process.arch}` };
  if (existsSync(own.program)) return own;
  const startedAt = Date.now();
  say(`Node ${own.version}, once, because this is ${process.versions.node} …`);
  try {
    mkdirSync(dirname(own.folder), { recursive: true });
    const made = mkdtempSync(`${own.folder}.`);
    try {
      for (const name of ['package.json', 'package-lock.json']) copyFileSync(join(RECIPE, name), join(made, name));
      const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
      const { status, stdout, stderr, error } = spawnSync('npm', ['ci', ...quiet], { cwd: made, encoding: 'utf8' });
      if (status !== 0) return { why: `npm failed\n${`${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`.trim()}` };
      // Of several simultaneous installations the first one wins; they are identical.
      if (!existsSync(own.program)) renameSync(made, own.folder);
    } finally {
      rmSync(made, { recursive: true, force: true });
    }
  } catch (error) {
    if (!existsSync(own.program)) return { why: error instanceof Error ? error.message : String(error) };
  }
  say(`Node ${own.version}: installed in ${since(startedAt)}`);
  return own;
}
