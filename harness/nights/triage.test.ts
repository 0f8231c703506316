import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readTriage, type Triage, triageOf } from './triage.ts';

async function historyWith(text?: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'triage-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  if (text !== undefined) await writeFile(join(folder, 'triage.yaml'), text);
  return folder;
}

test('a history without a triage file has no entries', async () => {
  expect(await readTriage(await historyWith())).toEqual([]);
  expect(await readTriage(await historyWith(''))).toEqual([]);
  const text = '- { state: fixed, cell: arm64/vm/web, benchmark: GET, until: 2026-11-20, note: "#12" }\n';
  expect(await readTriage(await historyWith(text))).toEqual([
    { state: 'fixed', cell: 'arm64/vm/web', benchmark: 'GET', until: '2026-11-20', note: '#12' },
  ]);
});

test.each([
  ['- { state: ignored, cell: a }', 'state'],
  ['- { state: expected }', 'cell'],
  ['- { state: expected, cell: a, colour: red }', 'colour'],
  ['- { state: fixed, cell: a }', 'what is fixed needs until'],
  ['- { state: expected, cell: a, until: tomorrow }', 'until'],
  ['- {', 'cannot read'],
])('%s is refused, with what is wrong', async (text, word) => {
  const history = await historyWith(text);
  await expect(readTriage(history)).rejects.toThrow(word);
  await expect(readTriage(history)).rejects.toThrow(join(history, 'triage.yaml'));
});

test('an entry is about a cell, or a benchmark or test of it, and about what began before its date; the last one counts', () => {
  const triage: Triage[] = [
    { state: 'acknowledged', cell: 'arm64/**' },
    { state: 'expected', cell: 'arm64/vm/web', benchmark: 'GET', until: '2026-11-20' },
    { state: 'fixed', cell: '*/vm/web', test: 'answers', until: '2026-11-20' },
    { state: 'expected', cell: 'arm64/vm/web', test: 'answers' },
  ];
  const state = (finding: Parameters<typeof triageOf>[1]) => triageOf(triage, finding)?.state;
  const since = '2026-11-20T03:17:00.000Z';
  expect(state({ cell: 'arm64/vm/web', since })).toBe('acknowledged');
  expect(state({ cell: 'amd64/vm/web', since })).toBeUndefined();
  expect(state({ cell: 'arm64/vm/web', benchmark: 'GET', since })).toBe('expected');
  expect(state({ cell: 'arm64/vm/web', benchmark: 'GET', since: '2026-11-21T03:17:00.000Z' })).toBeUndefined();
  expect(state({ cell: 'arm64/vm/web', test: 'answers', since })).toBe('expected');
  expect(state({ cell: 'ppc64le/vm/web', test: 'answers', since })).toBe('fixed');
});
