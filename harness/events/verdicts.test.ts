import { expect, test } from 'vitest';
import { isBad, mostTelling, verdictNames, verdicts, wentWrong } from './verdicts.ts';

test('what is bad blocks, and nothing that is bad lets a run pass', () => {
  for (const name of verdictNames) {
    const { bad, blocks, exit, colour } = verdicts[name];
    expect(exit !== 0, name).toBe(bad);
    expect(colour === 'red', name).toBe(bad);
    if (bad) expect(blocks, name).toBe(true);
    expect(isBad({ verdict: name }), name).toBe(bad);
  }
});

test('signs tell every verdict from the others', () => {
  expect(new Set(verdictNames.map((name) => verdicts[name].sign)).size).toBe(verdictNames.length);
});

test('what never came to its end is bad and has nothing to tell', () => {
  expect(verdictNames.filter((verdict) => isBad({ verdict }) && !wentWrong({ verdict }))).toEqual(['incomplete']);
});

test('a failure stands for whatever else there is, and a pass only for what was left out', () => {
  expect(mostTelling(['passed', 'infra', 'failed', 'skipped'])).toBe('failed');
  expect(mostTelling(['skipped', 'passed'])).toBe('passed');
  expect(mostTelling(['passed', 'incomplete', 'flaky'])).toBe('incomplete');
  expect(mostTelling([])).toBeUndefined();
});
