import { cpSync, existsSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join, relative } from 'node:path';

/**
 * Packages that are bundled with all of their dependencies in dist/node_modules. npm compares the `engines` of every
 * dependency with the Node that npm runs on, and asks about every install script; the harness runs on a Node that it
 * chooses and needs no native part of these. As dependencies they would print sixty lines of warnings on Node 20.
 */
export const VENDORED = /** @type {const} */ ([
  'cli-truncate',
  'commander',
  'dockerode',
  'execa',
  'log-update',
  'testcontainers',
  'vitest',
]);

/** Compiled for one machine, or not needed at run time. */
const LEFT_OUT = new Set(['.node', '.bare', '.o', '.map', '.markdown']);

/** @typedef {{ dependencies?: Record<string, string>, peerDependencies?: Record<string, string>, peerDependenciesMeta?: Record<string, { optional?: boolean }> }} Manifest */

/**
 * Copies those packages from the checkout's node_modules, each to the same place below dist.
 * @param {string} root the checkout, with its packages installed
 */
export function vendor(root) {
  const modules = join(root, 'node_modules');
  rmSync(join(root, 'dist', 'node_modules'), { recursive: true, force: true });
  for (const folder of closure(modules)) {
    const to = join(root, 'dist', 'node_modules', relative(realpathSync(modules), folder));
    cpSync(folder, to, {
      recursive: true,
      filter: (file) => basename(file) !== 'node_modules' && !LEFT_OUT.has(extname(file)),
    });
    const { engines: _, scripts: __, devDependencies: ___, ...manifest } = manifestOf(folder);
    writeFileSync(join(to, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  }
}

/**
 * The folders of the packages to copy, without the dependencies in our own package.json, which npm installs, and
 * without optional dependencies, which are native.
 * @param {string} modules
 */
function closure(modules) {
  const installed = Object.keys(manifestOf(dirname(modules)).dependencies ?? {}).map((name) =>
    packageFolder(modules, name),
  );
  /** @type {Set<string>} */
  const found = new Set();
  /** @param {string} from @param {readonly string[]} names */
  const add = (from, names) => {
    for (const name of names) {
      const folder = packageFolder(join(from, 'node_modules'), name);
      if (found.has(folder) || installed.includes(folder)) continue;
      found.add(folder);
      const { dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = manifestOf(folder);
      add(folder, [
        ...Object.keys(dependencies),
        ...Object.keys(peerDependencies).filter((peer) => peerDependenciesMeta[peer]?.optional !== true),
      ]);
    }
  };
  add(dirname(modules), VENDORED);
  return found;
}

/**
 * Where Node finds a package: in this node_modules, or the nearest one above.
 * @param {string} modules @param {string} name @returns {string} its folder, links followed
 */
function packageFolder(modules, name) {
  const folder = join(modules, name);
  if (existsSync(join(folder, 'package.json'))) return realpathSync(folder);
  const above = dirname(dirname(modules));
  if (above === dirname(above)) throw new Error(`cannot build the package: ${name} is not installed\n  next: npm ci`);
  return packageFolder(join(above, 'node_modules'), name);
}

/** @param {string} folder @returns {Manifest & Record<string, unknown>} */
function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}
