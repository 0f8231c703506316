import { afterAll as vitestAfterAll, afterEach as vitestAfterEach } from 'vitest';

/** Milliseconds: the longest deadline that a file gave a hook that runs behind tests. vitest tells nobody. */
let longest = 0;

export const afterAll: typeof vitestAfterAll = (hook, timeout) => {
  longest = Math.max(longest, timeout ?? 0);
  vitestAfterAll(hook, timeout);
};

export const afterEach: typeof vitestAfterEach = (hook, timeout) => {
  longest = Math.max(longest, timeout ?? 0);
  vitestAfterEach(hook, timeout);
};

/** Milliseconds that such hooks of this file may take at most. */
export function longestAfter(): number {
  return longest;
}
