// `build.mjs` makes what `npm pack` packs: dist/, and a package.json without what is for a checkout. `build.mjs clean` takes
// both away again, because a checkout runs its sources and a dist that stays behind only goes stale.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publishManifest, restoreManifest } from './manifest.mjs';
import { vendor } from './vendor.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
restoreManifest(root);
if (process.argv[2] !== 'clean') build();

function build() {
  const tsc = join(root, 'node_modules/.bin/tsc');
  const { status, error } = spawnSync(tsc, ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) {
    if (error) process.stderr.write(`cannot start ${tsc}: ${error.message}\n`);
    process.exit(status ?? 1);
  }

  // What the sources read beside themselves (schemas, styles, templates) keeps its place relative to them.
  for (const folder of ['harness', 'reports']) copy(folder, (file) => isAsset(file));
  // Suites and matrices are whole: they are what `harness init` and a first run start from.
  for (const folder of ['suites', 'matrices']) copy(folder, () => true);

  // Sources that look for ../../package.json find one in dist too. It has no `exports`, so that the package's name,
  // imported from inside dist, means the installed package and not this folder.
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  writeFileSync(join(dist, 'package.json'), `${JSON.stringify({ name, version, type: 'module' }, null, 2)}\n`);
  vendor(root);
  publishManifest(root);
}

/** @param {string} file relative to the checkout */
function isAsset(file) {
  const name = basename(file);
  const ours = /^harness\/(setup|testing)\//.test(file);
  const code = /\.(m?[tj]s|map)$/.test(name) && !name.endsWith('.browser.js');
  return (
    !ours && !code && !name.startsWith('tsconfig') && !/\.(golden|test)\./.test(name) && !/(^|\/)fixtures\//.test(file)
  );
}

/** @param {string} folder @param {(file: string) => boolean} wanted */
function copy(folder, wanted) {
  const from = join(root, folder);
  mkdirSync(join(dist, folder), { recursive: true });
  cpSync(from, join(dist, folder), {
    recursive: true,
    filter: (source) => !basename(source).includes('.') || wanted(relative(root, source)),
  });
}
