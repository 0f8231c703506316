import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { retryUntil } from '../../base/time.ts';
import type { HarnessEvent } from '../../events/types.ts';
import { tempFiles } from '../../testing/temp-files.ts';
import { type ConsoleLines, watchConsoles, withConsole, withConsoles } from './console-lines.ts';

/** Waits until the watch has seen what is in the file: its lines until now are then known to be of before now. */
async function seen(consoles: ReturnType<typeof watchConsoles>, line: string): Promise<number> {
  await retryUntil(
    async () => {
      if (!(await consoles.between(0, Date.now())).includes(line)) throw new Error('not yet');
    },
    { deadlineMs: 30_000, everyMs: 10 },
  );
  const now = Date.now();
  await retryUntil(
    async () => {
      if (Date.now() <= now) throw new Error('the same millisecond');
    },
    { deadlineMs: 30_000, everyMs: 1 },
  );
  return now;
}

test('lines are told by when they came, however many come later', async () => {
  await using files = await tempFiles({ 'console.log': 'of before\n' });
  const file = join(files.folder, 'console.log');
  using consoles = watchConsoles([{ file, prefix: '' }]);
  await consoles.between(0, 0);
  await appendFile(file, 'one\n');
  const first = await seen(consoles, 'one');
  await appendFile(file, 'two\r\n\u001b[31mthree\u001b[0m\n');
  const second = await seen(consoles, 'two');
  await appendFile(file, 'late\n'.repeat(5000));
  await seen(consoles, 'late');
  expect(await consoles.between(0, first)).toEqual(['one']);
  expect(await consoles.between(first + 1, second)).toEqual(['two', 'three']);
});

test('a console that is not there, or is flooded, costs nothing but its lines', async () => {
  await using files = await tempFiles({ 'a/console.log': '' });
  const file = join(files.folder, 'a/console.log');
  using consoles = watchConsoles([
    { file, prefix: 'a: ' },
    { file: join(files.folder, 'b/console.log'), prefix: 'b: ' },
  ]);
  await consoles.between(0, 0);
  await writeFile(file, Array.from({ length: 100_000 }, (_, index) => `line ${index}\n`).join(''));
  const lines = await consoles.between(0, Number.POSITIVE_INFINITY);
  expect(lines).toHaveLength(100);
  expect(lines.at(-1)).toBe('a: line 99999');
});

test('only an attempt that did not pass has them', async () => {
  await using files = await tempFiles({ 'console.log': '' });
  const file = join(files.folder, 'console.log');
  using consoles = watchConsoles([{ file, prefix: '' }]);
  await consoles.between(0, 0);
  const startedAt = new Date().toISOString();
  await appendFile(file, 'Out of memory: Killed process 1234 (perl)\n');
  const attempt = { durationMs: 0, errors: [], startedAt } as const;
  expect(await withConsole({ ...attempt, verdict: 'failed' }, consoles)).toMatchObject({
    console: ['Out of memory: Killed process 1234 (perl)'],
  });
  expect(await withConsole({ ...attempt, verdict: 'passed' }, consoles)).toEqual({ ...attempt, verdict: 'passed' });
});

test('events keep their order, whichever of them have a console to wait for', async () => {
  const seen: string[] = [];
  const finished = (name: string, attempts: number): HarnessEvent => ({
    ...{ type: 'test.finished', cell: 'c', step: 'tests', file: 'f', name, verdict: 'failed', durationMs: 0 },
    attempts: Array.from({ length: attempts }, () => ({ verdict: 'failed', durationMs: 0, errors: [] })),
  });
  const tell = withConsoles(async (event) => void seen.push((event as { name: string }).name), {
    between: async () => ['line'],
    [Symbol.dispose]: () => {},
  } as unknown as ConsoleLines);
  await Promise.all([finished('a', 2), finished('b', 0), finished('c', 1), finished('d', 0)].map(tell));
  expect(seen).toEqual(['a', 'b', 'c', 'd']);
});
