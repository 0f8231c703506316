import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Parts that only a checkout needs. npm asks users who install a tarball or a git URL about its scripts. */
const CHECKOUT_ONLY = ['scripts', 'devDependencies', 'allowScripts'];

/** The checkout's own package.json while it is being packed. @param {string} root */
const keptOf = (root) => join(root, '.harness', 'package.json.kept');

/** Replaces the checkout's package.json by the one that is packed. @param {string} root */
export function publishManifest(root) {
  restoreManifest(root);
  const file = join(root, 'package.json');
  const own = readFileSync(file, 'utf8');
  const published = Object.entries(JSON.parse(own)).filter(([key]) => !CHECKOUT_ONLY.includes(key));
  mkdirSync(dirname(keptOf(root)), { recursive: true });
  writeFileSync(keptOf(root), own);
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(published), null, 2)}\n`);
}

/** Restores the checkout's package.json, also after packing was killed. @param {string} root */
export function restoreManifest(root) {
  if (existsSync(keptOf(root))) renameSync(keptOf(root), join(root, 'package.json'));
}
