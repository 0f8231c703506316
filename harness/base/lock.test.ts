import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lock, tryLock } from './lock.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'harness-lock-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A process of its own that holds a lock until it is killed. */
async function holderOf(file: string) {
  const script = `import { lock } from ${JSON.stringify(join(import.meta.dirname, 'lock.ts'))};
await lock(process.argv[2]);
console.log('held');
setInterval(() => {}, 1000);`;
  const argv = ['--input-type=module-typescript', '-', file];
  const holder = execa(process.execPath, argv, { input: script, reject: false });
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  return { pid: holder.pid, kill: () => holder.kill('SIGKILL'), ended: holder.then(() => {}) };
}

test('one process holds the lock, the next gets it afterwards, and a mere try does not wait', async () => {
  const file = join(folder, 'one');
  const first = await lock(file);
  expect(await tryLock(file)).toBeUndefined();
  const second = lock(file);
  await first[Symbol.asyncDispose]();
  await (await second)[Symbol.asyncDispose]();
  const tried = await tryLock(file);
  expect(tried?.file).toBe(file);
  await tried?.[Symbol.asyncDispose]();
});

test('a waiter is told who holds the lock, and gets it when the holder is killed', async () => {
  const file = join(folder, 'two');
  const holder = await holderOf(file);
  const said = Promise.withResolvers<string>();
  const waiting = lock(file, { onWait: said.resolve });
  expect(await said.promise).toMatch(new RegExp(`^process ${holder.pid} \\(harness .*two\\), for \\d+(\\.\\d)? m?s$`));
  holder.kill();
  await using held = await waiting;
  expect(held.file).toBe(file);
  await holder.ended;
});

test('an aborted wait rejects with the reason', async () => {
  const file = join(folder, 'three');
  await using _held = await lock(file);
  const stop = new AbortController();
  const waiting = lock(file, { signal: stop.signal });
  stop.abort(new Error('interrupted'));
  await expect(waiting).rejects.toThrow('interrupted');
});
