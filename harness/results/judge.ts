import type { ForeignResults, ForeignTest } from './types.ts';

/** How a command ended. */
export interface Exit {
  readonly code?: number;
  /** `SIGKILL`, where a signal ended it. */
  readonly signal?: string;
}

/** What a file of results and the exit code say together. */
export interface Judgement {
  /** `incomplete`: nothing failed, as far as is known, and that is not enough. `skipped`: every test was. */
  readonly state: 'passed' | 'skipped' | 'failed' | 'incomplete';
  /** Why it is not `passed`; sentences without a stop. */
  readonly reasons: readonly string[];
}

/** Whether a test counts against its run. */
export function isBad({ verdict, allowed }: Pick<ForeignTest, 'verdict' | 'allowed'>): boolean {
  return verdict === 'failed' || verdict === 'error' || (verdict === 'unexpected success' && allowed === undefined);
}

/**
 * Silence is no success: no tests, a problem of the file, and an exit code that no test explains are none.
 * @param exit absent: not known, and only the file counts.
 */
export function judge({ tests, problems }: ForeignResults, exit?: Exit): Judgement {
  const bad = tests.filter(isBad).length;
  const errors = problems.filter(({ severity }) => severity === 'error').map(({ message }) => message);
  const ended = exit?.signal !== undefined ? `the command was ended by ${exit.signal}` : exitWords(exit?.code);
  if (bad > 0)
    return {
      state: 'failed',
      reasons: [`${bad} of ${tests.length} ${bad === 1 ? 'test' : 'tests'} failed`, ...errors],
    };
  if (ended !== undefined) return { state: 'failed', reasons: [`${ended}, and no test failed`, ...errors] };
  if (errors.length > 0) return { state: 'incomplete', reasons: errors };
  if (tests.length === 0) return { state: 'incomplete', reasons: ['there are no tests in it'] };
  if (tests.every(({ verdict }) => verdict === 'skipped'))
    return { state: 'skipped', reasons: ['every test was skipped'] };
  return { state: 'passed', reasons: [] };
}

function exitWords(code: number | undefined): string | undefined {
  return code === undefined || code === 0 ? undefined : `the command ended with exit code ${code}`;
}
