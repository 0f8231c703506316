import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { thisDistribution } from './distribution.mjs';
import { isNewEnough, packagedNode } from './node-version.mjs';
import { npmIsCurrent } from './npm-packages.mjs';
import { runChild } from './run-child.mjs';
import { say } from './say.mjs';
import { missingPackages } from './system.mjs';
import { packagesFor } from './system-packages.mjs';

/** flock's exit code for a lock that is taken, distinct from our own exit codes. */
const LOCKED = 75;

/**
 * Makes the checkout ready to run. A second call only checks two files and about forty paths.
 * @param {string} root the checkout, absolute
 * @param {boolean} tests whether our own tests are to be run, too
 * @returns {Promise<number>} 0, or the exit code to stop with; the reason has been printed
 */
export async function makeReady(root, tests) {
  const skipSystem = Boolean(process.env['HARNESS_NO_SYSTEM_PACKAGES']);
  const missing = () =>
    missingPackages({ path: process.env['PATH'] ?? '', packages: packagesFor(tests, thisDistribution()) });
  if (!npmIsCurrent(root) || (!skipSystem && missing().length > 0)) {
    const code = await installAlone(root, tests);
    if (code !== 0) return code;
  }
  linkHarness(root);
  return 0;
}

/**
 * The Node that runs the harness: this one when it is new enough, else the package's.
 * @param {string} root
 */
export function nodeOf(root) {
  const node = isNewEnough(process.versions.node) ? process.execPath : packagedNode(join(root, 'node_modules'));
  if (node === undefined) throw new Error('cannot find a Node for the harness: the set-up has not run');
  return node;
}

/**
 * Runs install.mjs, one at a time in a checkout. flock(1) and not a file of our own, because the kernel gives its lock
 * back however the holder dies. `-o` keeps the lock from daemons that a package's installation starts.
 * @param {string} root
 * @param {boolean} tests
 */
async function installAlone(root, tests) {
  const install = [process.execPath, join(root, 'harness/setup/install.mjs'), ...(tests ? ['--tests'] : [])];
  mkdirSync(join(root, '.harness'), { recursive: true });
  const lock = join(root, '.harness', 'setup.lock');
  if (spawnSync('flock', ['--version'], { stdio: 'ignore' }).status !== 0) {
    // A system without util-linux has no apt-get either: install.mjs will report what is missing.
    return runChild(install[0] ?? '', install.slice(1));
  }
  const code = await runChild('flock', ['-n', '-E', String(LOCKED), '-o', lock, ...install]);
  if (code !== LOCKED) return code;
  say('another set-up is at work in this folder; waiting for it …');
  return runChild('flock', ['-o', lock, ...install]);
}

/**
 * `npx harness` in the checkout: npm links the programs of dependencies, not those of the project itself.
 * @param {string} root
 */
function linkHarness(root) {
  const link = join(root, 'node_modules', '.bin', 'harness');
  const target = '../../harness/setup/harness.mjs';
  try {
    if (lstatSync(link).isSymbolicLink() && readlinkSync(link) === target) return;
  } catch {
    // The link does not exist yet; it is made below.
  }
  try {
    symlinkSync(target, link);
  } catch (error) {
    // Another first start was faster.
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
  }
}
