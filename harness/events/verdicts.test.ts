import { expect, test } from 'vitest';
import { isBad, mostTelling, verdictNames, verdicts, wentWrong } from './verdicts.ts';

test('a bad verdict blocks, and never lets a run pass', () => {
  for (const name of verdictNames) {
    const { bad, blocks, exit, colour } = verdicts[name];
    expect(exit !== 0, name).toBe(bad);
    expect(colour === 'red', name).toBe(bad);
    if (bad) expect(blocks, name).toBe(true);
    expect(isBad({ verdict: name }), name).toBe(bad);
  }
});

test('every verdict has its own sign', () => {
  expect(new Set(verdictNames.map((name) => verdicts[name].sign)).size).toBe(verdictNames.length);
});

test('an incomplete verdict is bad, but reports nothing', () => {
  expect(verdictNames.filter((verdict) => isBad({ verdict }) && !wentWrong({ verdict }))).toEqual(['incomplete']);
});

test('a failure outranks everything else, and a pass only what did not run', () => {
  expect(mostTelling(['passed', 'infra', 'failed', 'skipped'])).toBe('failed');
  expect(mostTelling(['skipped', 'passed'])).toBe('passed');
  expect(mostTelling(['passed', 'incomplete', 'flaky'])).toBe('incomplete');
  expect(mostTelling([])).toBeUndefined();
});
