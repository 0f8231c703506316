import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { consoleTail, fatalMeaning, followConsole } from './console.ts';

test.each([
  ['[    1.2] Kernel panic - not syncing: VFS: Unable to mount root fs', 'the kernel panicked'],
  ['harness-init: cannot mount the disk', 'the initramfs failed'],
  ['You are in emergency mode. After logging in, type "journalctl -xb"', 'the guest fell into an emergency shell'],
  ['Give root password for maintenance', 'the guest fell into an emergency shell'],
  ['[FAILED] Failed to start nginx.service', undefined],
  ['nginx: this is not a kernel panic', undefined],
])('%s', (line, means) => expect(fatalMeaning(line)).toBe(means));

test('a console is followed as it grows, whole lines only, without control characters', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'harness-console-'));
  const file = join(folder, 'console.log');
  await writeFile(file, 'of an earlier boot\n');
  const stop = new AbortController();
  const lines: string[] = [];
  const writing = (async () => {
    for (const part of ['fir', 'st\r\r\n\x1b[31msec', 'ond\x1b[0m\n', 'last\nunfinished']) await appendFile(file, part);
  })();
  for await (const line of followConsole(file, stop.signal, 'of an earlier boot\n'.length)) {
    lines.push(line);
    if (line === 'last') stop.abort();
  }
  await writing;
  expect(lines).toEqual(['first', 'second', 'last']);
  expect(await consoleTail(file, 2)).toEqual(['last', 'unfinished']);
  expect(await consoleTail(join(folder, 'none'), 2)).toEqual([]);
  await rm(folder, { recursive: true });
});
