import { afterAll as vitestAfterAll, afterEach as vitestAfterEach } from 'vitest';

/** The runner and a suite's files have a copy of this module each, so what they share is the process's. */
const LONGEST = Symbol.for('multiarch-harness: longest deadline of a hook behind tests');

/** The test whose machines have been reset for its current attempt. */
const FRESH = Symbol.for('multiarch-harness: test with fresh machines');

const shared = globalThis as { [LONGEST]?: number; [FRESH]?: string };

/** Records that a test's machines have been reset. @param id vitest's; absent: the next one's have not. */
export function noteFresh(id?: string): void {
  if (id === undefined) delete shared[FRESH];
  else shared[FRESH] = id;
}

/** Whether a test's machines have been reset. */
export function isFresh(id: string): boolean {
  return shared[FRESH] === id;
}

function noted(timeout: number | undefined): void {
  shared[LONGEST] = Math.max(longestAfter(), timeout ?? 0);
}

/** Milliseconds: the longest deadline of this file's hooks after tests, which vitest does not report. */
export function longestAfter(): number {
  return shared[LONGEST] ?? 0;
}

export const afterAll: typeof vitestAfterAll = (hook, timeout) => {
  noted(timeout);
  vitestAfterAll(hook, timeout);
};

export const afterEach: typeof vitestAfterEach = (hook, timeout) => {
  noted(timeout);
  vitestAfterEach(hook, timeout);
};
