import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';

const module = (path: string) => new URL(path, import.meta.url).href;

/** Handles signals like a run: ends in its own time, and exits with 42. */
const run = `import { ignoreHangup, interruptible } from '${module('./interrupt.ts')}';
ignoreHangup();
setInterval(() => {}, 1000);
process.exitCode = await interruptible({ quiet: true }, (signal) => new Promise((resolve) => {
  console.log('ready');
  signal.addEventListener('abort', () => setTimeout(() => resolve(42), 500));
  setTimeout(() => resolve(7), 20_000).unref();
}));
process.exit();`;

/** The same, behind the wrapper that a system with an older Node needs. */
const wrapped = `import { runChild } from '${module('../setup/run-child.mjs')}';
process.exitCode = await runChild(process.execPath, ['--input-type=module', '-e', ${JSON.stringify(run)}]);`;

/** Starts a command in a process group of its own, and waits until the run in it takes signals. */
async function started(...argv: string[]): Promise<ChildProcess> {
  const child = spawn(argv[0]!, argv.slice(1), { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout!, 'data');
  return child;
}

const node = (script: string) => [process.execPath, '--input-type=module', '-e', script];

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s to the whole group, and passed on by the wrapper, counts as one: the run ends in its own time',
  async (signal) => {
    const child = await started(...node(wrapped));
    process.kill(-child.pid!, signal);
    expect(await once(child, 'exit')).toEqual([42, null]);
  },
);

test('what `timeout` does: the signal to the wrapper, then to its group', async () => {
  const child = await started('timeout', '1000', ...node(wrapped));
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([42, null]);
});

test('a hangup that the shell ignores is ignored, other signals are not', async () => {
  const line = node(run)
    .map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
    .join(' ');
  const child = await started('bash', '-c', `trap '' HUP; trap : INT; ${line}; exit $?`);
  process.kill(-child.pid!, 'SIGHUP');
  process.kill(-child.pid!, 'SIGHUP');
  process.kill(-child.pid!, 'SIGINT');
  expect(await once(child, 'exit')).toEqual([42, null]);
});

test('the program saves the ignored signals before Node resets them', async ({ onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'harness-sigign-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'node'), '#!/bin/sh\necho "$HARNESS_SIGIGN" "$#" "$2" "$3"\n');
  await chmod(join(folder, 'node'), 0o755);
  const program = join(import.meta.dirname, '../setup/harness.mjs');
  const env = { PATH: `${folder}:${process.env['PATH']}` };
  const started = async (prefix: string) =>
    (await execa('bash', ['-c', `${prefix} exec "$0" run 'a b'`, program], { env })).stdout;
  expect(await started("trap '' HUP;")).toMatch(/^[0-9a-f]{15}[13579bdf] 3 run a b$/);
  expect(await started('')).toMatch(/^[0-9a-f]{15}[02468ace] 3 run a b$/);
  expect(await started('nohup true;')).toMatch(/^[0-9a-f]{15}[02468ace] /);
});
