import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempFiles } from '../testing/temp-files.ts';
import { Ledger, type Opened } from './ledger.ts';

const opened: Opened = {
  ...{
    type: 'opened',
    place: '/shared/runs/r',
    tree: '/shared/trees/t',
    program: ['harness'],
    attempts: 3,
    classes: [],
  },
  engine: {
    name: 'lab',
    config: { kind: 'slurm', shared: '/shared', arch: {}, options: [], 'poll-seconds': 2, 'cache-put': true },
  },
};

test('what was submitted is known to whoever opens it next; half a line was never acted upon', async () => {
  await using files = await tempFiles();
  const first = await Ledger.open(files.folder);
  expect([first.opened, first.goesOn]).toEqual([undefined, false]);
  first.append(opened);
  first.append({
    type: 'intent',
    token: 'r-0',
    rows: [
      ['a', 1],
      ['b', 1],
    ],
  });
  first.append({ type: 'lost', cell: 'a', attempt: 1, why: 'it vanished' });
  await appendFile(join(files.folder, 'dispatch.jsonl'), '{"type":"intent","token":"r-1","ro');
  const second = await Ledger.open(files.folder);
  expect(second.goesOn).toBe(true);
  expect(second.jobs).toBe(1);
  expect(second.open()).toEqual([{ cell: 'b', attempt: 1, token: 'r-0', index: 1 }]);
  expect([second.next('a'), second.next('b'), second.next('c')]).toEqual([2, 2, 1]);
  expect(second.lost('a').map(({ why }) => why)).toEqual(['it vanished']);
  second.append({ type: 'intent', token: 'r-1', rows: [['a', 2]] });
  second.append({ type: 'refused', token: 'r-1' });
  const third = await Ledger.open(files.folder);
  expect(third.open().map(({ cell }) => cell)).toEqual(['b']);
  // A number is used once, whatever became of it.
  expect([third.jobs, third.next('a')]).toEqual([2, 3]);
  third.append({ type: 'closed' });
  expect((await Ledger.open(files.folder)).goesOn).toBe(false);
  expect(await readFile(join(files.folder, 'dispatch.jsonl'), 'utf8')).toContain('"ro\n{');
});

test('a run that is opened again begins with no attempt lost, and goes on with the numbers', async () => {
  await using files = await tempFiles();
  const ledger = await Ledger.open(files.folder);
  ledger.append(opened);
  ledger.append({ type: 'intent', token: 'r-0', rows: [['a', 1]] });
  ledger.append({ type: 'lost', cell: 'a', attempt: 1, why: 'it vanished' });
  ledger.append({ type: 'closed' });
  ledger.append(opened);
  expect([ledger.lost('a'), ledger.next('a'), ledger.open()]).toEqual([[], 2, []]);
});
