import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempFiles } from '../testing/temp-files.ts';
import { outputLog } from './output-log.ts';

async function logOf(...chunks: readonly (string | Buffer)[]) {
  await using files = await tempFiles();
  const file = join(files.folder, 'output.log');
  const shown: string[] = [];
  const log = outputLog(file, (line) => shown.push(line));
  for (const chunk of chunks) log.add('stdout', Buffer.from(chunk));
  await log.end();
  return { shown, text: await readFile(file, 'utf8'), tail: log.tail(2) };
}

test('lines are written and shown, however they were split', async () => {
  const { shown, text, tail } = await logOf('on', 'e\ntw', 'o\r\nthree');
  expect(shown).toEqual(['one', 'two', 'three']);
  expect(text).toBe('one\ntwo\nthree\n');
  expect(tail).toEqual(['two', 'three']);
});

test('a character that is cut between two pieces is whole', async () => {
  const bytes = Buffer.from('größe\n');
  expect((await logOf(bytes.subarray(0, 3), bytes.subarray(3))).shown).toEqual(['größe']);
});

test('of a progress bar the last state is kept; colours and control characters are removed', async () => {
  expect((await logOf('1%\r50%\r100%\n', '\u001b[31mred\u001b[0m\u0007\n')).shown).toEqual(['100%', 'red']);
});

test('a line without end is shown in pieces', async () => {
  const { shown } = await logOf('x'.repeat(9000), 'y\n');
  expect(shown.map(({ length }) => length)).toEqual([9000, 1]);
});

test('a file that cannot be written is an error at the end', async () => {
  const log = outputLog('/proc/no/such', () => {});
  log.add('stdout', Buffer.from('x\n'));
  await expect(log.end()).rejects.toThrow('ENOENT');
});

test('the last lines are those of the command that runs, with the one that has no end yet', async () => {
  await using files = await tempFiles();
  const file = join(files.folder, 'output.log');
  const log = outputLog(file, () => {});
  log.begin();
  log.add('stdout', Buffer.from('of the first\nwithout end'));
  expect(log.tail(9)).toEqual(['of the first', 'without end']);
  log.begin();
  expect(log.tail(9)).toEqual([]);
  log.add('stderr', Buffer.from('of the second'));
  expect(log.tail(9)).toEqual(['of the second']);
  await log.end();
  expect(await readFile(file, 'utf8')).toBe('of the first\nwithout end\nof the second\n');
});
