import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What is for a checkout only. npm asks whoever installs a tarball or a git address about its scripts. */
const CHECKOUT_ONLY = ['scripts', 'devDependencies', 'allowScripts'];

/** The checkout's own package.json while it is being packed. @param {string} root */
const keptOf = (root) => join(root, '.harness', 'package.json.kept');

/** Writes the package.json that is packed in the place of the checkout's. @param {string} root */
export function publishManifest(root) {
  restoreManifest(root);
  const file = join(root, 'package.json');
  const own = readFileSync(file, 'utf8');
  const published = Object.entries(JSON.parse(own)).filter(([key]) => !CHECKOUT_ONLY.includes(key));
  mkdirSync(dirname(keptOf(root)), { recursive: true });
  writeFileSync(keptOf(root), own);
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(published), null, 2)}\n`);
}

/** Puts the checkout's package.json back, also after a packing that was killed. @param {string} root */
export function restoreManifest(root) {
  if (existsSync(keptOf(root))) renameSync(keptOf(root), join(root, 'package.json'));
}
