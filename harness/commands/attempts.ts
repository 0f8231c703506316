import { isBad } from '../events/verdicts.ts';
import type { CommandTest } from './judge.ts';

/**
 * The tests of several runs of one command, each with all its attempts: one that failed and then passed is flaky, and
 * one that only an earlier run had keeps its result from there.
 * @param runs in order, at least one.
 */
export function mergeAttempts(runs: readonly (readonly CommandTest[])[]): CommandTest[] {
  return merge(runs, joined);
}

/** Like {@link mergeAttempts}, for a command repeated regardless of results: a test that failed once has failed. */
export function mergeRepeats(runs: readonly (readonly CommandTest[])[]): CommandTest[] {
  return merge(runs, repeated);
}

function merge(
  runs: readonly (readonly CommandTest[])[],
  join: (before: CommandTest, after: CommandTest) => CommandTest,
): CommandTest[] {
  const merged = new Map<string, CommandTest>();
  for (const run of runs) {
    const seen = new Map<string, number>();
    for (const test of run) {
      // Two tests of one name in one run are two tests.
      const name = `${test.file}\0${test.name}`;
      const count = (seen.get(name) ?? 0) + 1;
      seen.set(name, count);
      const key = `${name}\0${count}`;
      const before = merged.get(key);
      merged.set(key, before === undefined ? test : join(before, test));
    }
  }
  return [...merged.values()];
}

function repeated(before: CommandTest, after: CommandTest): CommandTest {
  const worst = [before, after].find(isBad);
  return { ...joined(before, after), verdict: worst?.verdict ?? after.verdict };
}

function joined(before: CommandTest, after: CommandTest): CommandTest {
  const failedBefore = before.attempts.some(({ verdict }) => verdict !== 'passed');
  return {
    ...after,
    verdict: after.verdict === 'passed' && failedBefore ? 'flaky' : after.verdict,
    durationMs: before.durationMs + after.durationMs,
    attempts: [...before.attempts, ...after.attempts],
  };
}
