import { createHash } from 'node:crypto';
import { type TestName, testKey } from '../../harness/events/identity.ts';
import type { CellResult } from '../../harness/events/result.ts';

/** The key that the cells of all architectures share. */
type Stack = Pick<CellResult, 'suite' | 'target' | 'release'>;

/** The id of a cell's facts: readable, because people write such links by hand, and unique. */
export function cellId(name: string): string {
  return `cell-${name.replace(/[^A-Za-z0-9/@.+-]/gu, (character) => `_${character.codePointAt(0)!.toString(16)}_`)}`;
}

/** The id of a test's row: the same in every run of a matrix, so that a link to it can be compared with another run's. */
export function testId({ suite, target, release }: Stack, test: TestName): string {
  return `t-${digest([suite, target, release, testKey(test)])}`;
}

/** The id of a failure in a cell: of a test, or of a step. */
export function failureId(cell: string, what: string): string {
  return `f-${digest([cell, what])}`;
}

/** Eight characters of 64: a collision among 80,000 ids occurs once in 80,000 pages. */
function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 8);
}
