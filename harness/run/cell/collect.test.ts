import { join } from 'node:path';
import { expect, test } from 'vitest';
import { suiteSchema } from '../../config/schema/suite.ts';
import type { Answers } from '../../targets/memory/machine.ts';
import { useMemory } from '../../targets/memory/machine.ts';
import { tempFiles } from '../../testing/temp-files.ts';
import { collectEvidence, evidenceFile } from './collect.ts';

test.each([
  ['docker node ls', 0, 'evidence-1-docker-node-ls.txt'],
  [['cat', '/etc/../shadow'], 1, 'evidence-2-cat-etc-shadow.txt'],
  ['$(;)', 2, 'evidence-3.txt'],
  [`echo ${'x'.repeat(300)}`, 0, `evidence-1-echo-${'x'.repeat(34)}.txt`],
])('what %j says is in a file of this folder', (command, index, file) => {
  expect(evidenceFile(command, index)).toBe(file);
});

/** What is kept of a machine that answers so, and what is said to be missing. */
async function collected(answers: Answers, evidence: readonly string[] = [], silent = false) {
  await using files = await tempFiles({ 'cell/console.log': '' });
  const facts = { arch: 'amd64', kind: 'memory', accelerator: 'native', cpu: 'c', vcpus: 1, memoryBytes: 1 } as const;
  const target = useMemory({ kind: 'memory', facts, can: [], ports: [], answers: {} }, answers, new Promise(() => {}));
  const suite = { ...suiteSchema.parse({ evidence }), name: 's', folder: '/suites/s' };
  const missing: string[] = [];
  // 20 ms for each question, 5 for whether it answers at all.
  const options = { scale: 0.001, silent, warn: (message: string) => void missing.push(message) };
  const kept = await collectEvidence(target, suite, join(files.folder, 'cell'), files.folder, options);
  return { kept: kept.map((file) => file.replace('cell/', '')), missing };
}

const OWN = [
  'console.log',
  'journal.txt',
  'units.txt',
  'failed-units.txt',
  'dmesg.txt',
  'network.txt',
  'processes.txt',
];

test('a late answer costs that answer only, and the harness’s own questions come first', async () => {
  const { kept, missing } = await collected({ slow: { after: 'never' }, dmesg: { after: 'never' }, quick: {} }, [
    'slow',
    'quick',
  ]);
  expect(kept).toEqual([...OWN.filter((name) => name !== 'dmesg.txt'), 'evidence-2-quick.txt']);
  expect(missing).toEqual([
    'there is no dmesg.txt: cannot finish `dmesg`: no end after 0.0 s',
    'there is no evidence-1-slow.txt: cannot finish `slow`: no end after 0.0 s',
  ]);
});

test('a machine that stops answering is asked nothing more', async () => {
  let asked = 0;
  const answers: Answers = { true: () => (asked++ === 0 ? {} : { after: 'never' }), dmesg: { after: 'never' } };
  const { kept, missing } = await collected(answers, ['own']);
  expect(kept).toEqual(OWN.slice(0, OWN.indexOf('dmesg.txt')));
  expect(missing).toHaveLength(1);
});

test('a machine that answers nothing is asked once whether it does, and not at all where that is known', async () => {
  let asked = 0;
  const never = () => {
    asked++;
    return { after: 'never' } as const;
  };
  const answers: Answers = { true: never, 'journalctl --no-pager --lines=2000 --output=short-monotonic': never };
  const nothing = { kept: ['console.log'], missing: ['only its console was collected: it no longer answers commands'] };
  expect(await collected(answers, ['own'])).toEqual(nothing);
  expect(asked).toBe(1);
  expect(await collected(answers, ['own'], true)).toEqual(nothing);
  expect(asked).toBe(1);
});
