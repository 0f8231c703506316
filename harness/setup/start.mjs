// What `npm start` and `npm test` run. Plain JavaScript without dependencies: on a fresh clone there is only Node 18 or
// 20, no package, and no TypeScript can be read. `start.mjs ARGS…` is `harness ARGS…`; `--test` runs the tests;
// `--setup` does the set-up and nothing else.
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { keepCompiled } from './compile-cache.mjs';
import { closeReport } from './count.mjs';
import { makeReady, nodeOf } from './ready.mjs';
import { runChild } from './run-child.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const [command, ...rest] = process.argv.slice(2);

const notReady = await makeReady(root, command === '--test');
if (notReady !== 0) process.exitCode = notReady;
else if (command === '--test') process.exitCode = await test(rest);
else if (command !== '--setup') await harness(process.argv.slice(2));

/** @param {string[]} args */
async function harness(args) {
  const main = join(root, 'harness/cli/main.ts');
  keepCompiled();
  const node = nodeOf(root);
  if (node !== process.execPath) {
    process.exitCode = await runChild(node, [main, ...args]);
    return;
  }
  process.argv = [node, main, ...args];
  await import(pathToFileURL(main).href);
}

/**
 * Runs vitest and prints `N passed, N failed, N skipped`, counted from its report, as the last line.
 * @param {string[]} args for vitest: a part of a file's name, `--project unit`, …
 * @returns {Promise<number>}
 */
async function test(args) {
  const folder = join(root, '.harness');
  mkdirSync(folder, { recursive: true });
  // A report of its own for each process: two runs at once must not count each other's tests.
  const report = join(folder, `test-report.${process.pid}.json`);
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  try {
    const code = await runChild(nodeOf(root), [vitest, 'run', ...reporters, ...args], { cwd: root });
    const verdict = closeReport(report, code);
    try {
      renameSync(report, join(folder, 'test-report.json'));
    } catch {
      // There is no report; the reason has been printed.
    }
    return verdict;
  } finally {
    rmSync(report, { force: true });
  }
}
