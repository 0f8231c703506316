import type { ErrorData } from '../events/types.ts';

/** vitest's message for a forbidden `.only`, which mentions its own command-line option. */
const VITEST = '[Vitest] Unexpected .only modifier';

/** The error for a test or a group marked `.only` in CI; any other error is unchanged. */
export function plainOnly(error: ErrorData): ErrorData {
  if (!error.message.startsWith(VITEST)) return error;
  return {
    type: error.type,
    message: '`.only` was left in: it fails if CI is set, because other tests are skipped and nobody would notice',
    hint: 'Remove `.only`; to run one test alone, unset CI.',
  };
}

/** Whether `$CI` is set, as every CI service does. */
export function isCi(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false'].includes(value.toLowerCase());
}
