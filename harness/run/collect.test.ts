import { expect, test } from 'vitest';
import { evidenceFile } from './collect.ts';

test.each([
  ['docker node ls', 0, 'evidence-1-docker-node-ls.txt'],
  [['cat', '/etc/../shadow'], 1, 'evidence-2-cat-etc-shadow.txt'],
  ['$(;)', 2, 'evidence-3.txt'],
  [`echo ${'x'.repeat(300)}`, 0, `evidence-1-echo-${'x'.repeat(34)}.txt`],
])('what %j says is in a file of this folder', (command, index, file) => {
  expect(evidenceFile(command, index)).toBe(file);
});
