import type { ErrorData } from '../events/types.ts';

/** What vitest says of `.only` where it does not allow it: it speaks of an option of its own command line. */
const VITEST = '[Vitest] Unexpected .only modifier';

/** What is wrong with a test or a group that is marked `.only` in CI; any other error as it is. */
export function plainOnly(error: ErrorData): ErrorData {
  if (!error.message.startsWith(VITEST)) return error;
  return {
    type: error.type,
    message:
      '`.only` was left in: with CI set it fails, because the tests beside it are skipped and nobody would notice',
    hint: 'Remove `.only`; to run one test alone, unset CI.',
  };
}

/** Whether `$CI` says that nobody looks at what a suite prints: every service of that kind sets it. */
export function isCi(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false'].includes(value.toLowerCase());
}
