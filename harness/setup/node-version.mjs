// Plain JavaScript for Node 18 and later, without dependencies: this runs before anything has been installed.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The oldest Node that runs the harness: major and minor. `engines` in package.json is what these files need. */
export const MINIMUM_NODE = /** @type {const} */ ([24, 15]);

/**
 * @param {string} version `24.21.0` or `v24.21.0`
 * @returns {boolean}
 */
export function isNewEnough(version) {
  const [major = 0, minor = 0] = version.trim().replace(/^v/, '').split('.').map(Number);
  return major > MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor >= MINIMUM_NODE[1]);
}

/**
 * The folders from here to the root, the nearest first.
 * @param {string} folder absolute
 * @returns {string[]}
 */
function upwards(folder) {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...upwards(parent)];
}

/**
 * The Node of the npm package `node` in this node_modules, when it is there and new enough. Its version is read, not
 * asked of the program: starting a Node takes 40 ms.
 * @param {string} modules absolute path of a node_modules folder
 * @returns {string | undefined}
 */
export function packagedNode(modules) {
  const program = join(modules, 'node', 'bin', 'node');
  try {
    const { version } = JSON.parse(readFileSync(join(modules, 'node', 'package.json'), 'utf8'));
    return isNewEnough(version) && existsSync(program) ? program : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param {string} program
 * @returns {string | undefined} what it answers to --version; undefined when it cannot be run
 */
function askVersion(program) {
  try {
    return execFileSync(program, ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 10000,
    });
  } catch {
    return undefined;
  }
}

/**
 * A Node that can run the harness: `$HARNESS_NODE`, else the package `node` in any node_modules from these folders
 * upwards. The version of `$HARNESS_NODE` is asked for, because re-executing into an old Node would never end.
 * @param {{ env: Record<string, string | undefined>, folders: string[], versionOf?: (program: string) => string | undefined }} where
 * @returns {string | undefined}
 */
export function findNode({ env, folders, versionOf = askVersion }) {
  const named = env['HARNESS_NODE'];
  if (named !== undefined && named !== '' && isNewEnough(versionOf(named) ?? '')) return named;
  for (const folder of folders.flatMap(upwards)) {
    const program = packagedNode(join(folder, 'node_modules'));
    if (program !== undefined) return program;
  }
  return undefined;
}
