import { afterAll as vitestAfterAll, afterEach as vitestAfterEach } from 'vitest';

/** The runner and a suite's files have a copy of this module each, so what they share is the process's. */
const LONGEST = Symbol.for('multiarch-harness: longest deadline of a hook behind tests');

/** The test whose machines have been put back for its attempt that runs. */
const FRESH = Symbol.for('multiarch-harness: test with fresh machines');

const shared = globalThis as { [LONGEST]?: number; [FRESH]?: string };

/** Notes that a test has had its machines put back. @param id vitest's; absent: the next one has not. */
export function noteFresh(id?: string): void {
  if (id === undefined) delete shared[FRESH];
  else shared[FRESH] = id;
}

/** Whether a test has had its machines put back. */
export function isFresh(id: string): boolean {
  return shared[FRESH] === id;
}

function noted(timeout: number | undefined): void {
  shared[LONGEST] = Math.max(longestAfter(), timeout ?? 0);
}

/** Milliseconds: the longest deadline that this process's file gave a hook that runs behind tests. vitest tells nobody. */
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
