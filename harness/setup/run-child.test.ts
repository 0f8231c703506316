import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';

const module = new URL('./run-child.mjs', import.meta.url).href;

/** A process that runs `script` through runChild and takes its exit code. */
function through(script: string): ChildProcess {
  const parent = `import { runChild } from '${module}';
    process.exitCode = await runChild(process.execPath, ['-e', ${JSON.stringify(script)}]);`;
  return spawn(process.execPath, ['--input-type=module', '-e', parent], { stdio: ['ignore', 'pipe', 'inherit'] });
}

test('the exit code is the child’s', async () => {
  expect(await once(through('process.exit(7)'), 'exit')).toEqual([7, null]);
});

test('a child that a signal killed: 128 and the signal’s number', async () => {
  expect(await once(through('process.kill(process.pid, "SIGKILL")'), 'exit')).toEqual([137, null]);
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s is passed on, and the child finishes its work',
  async (signal) => {
    const parent = through(`process.on('${signal}', () => setTimeout(() => process.exit(42), 100));
    setInterval(() => {}, 1000); console.log('ready');`);
    await once(parent.stdout!, 'data');
    parent.kill(signal);
    expect(await once(parent, 'exit')).toEqual([42, null]);
  },
);
