#!/usr/bin/env -S sh -c 'export HARNESS_SIGIGN="$(sed -n s/^SigIgn:.//p /proc/self/status)"; exec node "$0" "$@"'
// The first line records which signals are ignored (`nohup`), which Node resets. See harness/base/hangup.ts.
// The program `harness`. The command line runs on a new enough Node, whichever Node started this file.
import { dirname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { keepCompiled } from './compile-cache.mjs';
import { findNode, isNewEnough, MINIMUM_NODE } from './node-version.mjs';
import { installOwnNode } from './own-node.mjs';
import { runChild } from './run-child.mjs';

const self = fileURLToPath(import.meta.url);
const root = dirname(dirname(dirname(self)));

// Node strips no types from files below node_modules, so an installed package runs the built files. A checkout runs
// its sources, always: a dist left over there would be an older harness.
const installed = self.split(sep).includes('node_modules');
const main = installed ? join(root, 'dist/harness/cli/main.js') : join(root, 'harness/cli/main.ts');

if (isNewEnough(process.versions.node)) {
  keepCompiled();
  await importMain();
} else {
  const node = findNode({ env: process.env, folders: [...currentFolder(), dirname(self)] });
  const own = node === undefined ? installOwnNode(process.env) : { program: node };
  if ('program' in own) {
    process.exitCode = await runChild(own.program, [self, ...process.argv.slice(2)]);
  } else {
    process.stderr.write(
      `cannot run the harness: it needs Node ${MINIMUM_NODE.join('.')} or later, this is ${process.versions.node}, and ${own.why}\n` +
        '  next: set HARNESS_NODE to the path of a newer node, or install one\n',
    );
    process.exitCode = 3;
  }
}

/** The command line handles its own errors; an error here means that a package or one of our files cannot be read. */
async function importMain() {
  try {
    await import(pathToFileURL(main).href);
  } catch (error) {
    process.stderr.write(
      `cannot start the harness: ${error instanceof Error ? error.message : error}\n` +
        `  next: install its packages again: npm ci in ${installed ? 'your project' : root}\n`,
    );
    process.exitCode = 3;
  }
}

/** Empty if the folder was removed: the command line will report that. @returns {string[]} */
function currentFolder() {
  try {
    return [process.cwd()];
  } catch {
    return [];
  }
}
