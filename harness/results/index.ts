import { goJson } from './go-json.ts';
import { junit } from './junit.ts';
import { subunit } from './subunit.ts';
import { ktap, tap } from './tap.ts';
import { clean, cut } from './text.ts';
import {
  DEFAULT_LIMITS,
  type ForeignResults,
  type ForeignTest,
  type FoundTest,
  type ResultsFormat,
  type ResultsLimits,
  type ResultsProblem,
} from './types.ts';

export * from './types.ts';

/**
 * The formats of results by name. A new one is a file with a {@link ResultsFormat} and a line here; everything else
 * follows from the list. `commands/judge.ts` turns results and the end of a command into verdicts.
 */
export const RESULTS_FORMATS = {
  junit,
  tap,
  ktap,
  subunit,
  'go-json': goJson,
} as const satisfies Readonly<Record<string, ResultsFormat>>;

export type ResultsFormatName = keyof typeof RESULTS_FORMATS;

/**
 * Reads the results of another tool. Never throws, whatever the bytes: mistakes are in `problems`, and all complete
 * tests are returned.
 */
export function readResults(
  format: ResultsFormatName,
  bytes: Uint8Array,
  limits: ResultsLimits = DEFAULT_LIMITS,
): ForeignResults {
  if (bytes.length === 0)
    return { tests: [], problems: [{ kind: 'empty', severity: 'error', message: 'it is empty' }] };
  const problems: ResultsProblem[] = [];
  if (bytes.length > limits.bytes)
    problems.push({
      kind: 'too large',
      severity: 'error',
      message: `it has ${bytes.length} bytes, of which the first ${limits.bytes} were read`,
    });
  const read = RESULTS_FORMATS[format].read(bytes.subarray(0, limits.bytes), limits);
  problems.push(...read.problems);
  if (read.tests.length === 0 && !problems.some(({ severity }) => severity === 'error'))
    problems.push({ kind: 'empty', severity: 'error', message: 'it has no tests' });
  const tests = within(read.tests, limits, problems);
  return {
    tests: identified(
      tests.map((test) => clean(test, limits)),
      limits,
    ),
    problems,
  };
}

/** The tests that fit. A small file may have a long suite name that is repeated in each of many tests. */
function within(tests: readonly FoundTest[], limits: ResultsLimits, problems: ResultsProblem[]): readonly FoundTest[] {
  let room = limits.total;
  const first = tests.slice(0, limits.tests).findIndex((test) => {
    room -= sizeOf(test, limits);
    return room < 0;
  });
  const most = first < 0 ? limits.tests : first;
  if (most >= tests.length) return tests;
  problems.push({
    kind: 'too large',
    severity: 'error',
    message:
      first < 0
        ? `it has ${tests.length} tests, of which the first ${most} were kept`
        : `its ${tests.length} tests have more than ${limits.total} characters together, and the first ${most} were kept`,
  });
  return tests.slice(0, most);
}

/** Number of characters that are kept of a test. */
function sizeOf({ suites, name, attempts = [], ...texts }: FoundTest, { depth, line, text }: ResultsLimits): number {
  const parts = [texts, ...attempts].flatMap(({ message, details, output }) => [details, output, message]);
  return [...suites.slice(0, depth), name].reduce(
    (sum, part) => sum + Math.min(part.length, line),
    parts.reduce((sum, part) => sum + Math.min(part?.length ?? 0, text), 0),
  );
}

/**
 * The tests of several files of results, with unique identifiers. In formats without suites each file counts as one:
 * programs with their own plans number their tests alike.
 */
export function joinTests(
  files: readonly { readonly name: string; readonly tests: readonly ForeignTest[] }[],
  limits: ResultsLimits = DEFAULT_LIMITS,
): ForeignTest[] {
  const tests = files.flatMap(({ name, tests }) =>
    tests.map((test) => (test.suites.length > 0 ? test : { ...test, suites: [withoutExtension(name)] })),
  );
  return identified(tests, limits);
}

function withoutExtension(name: string): string {
  return name.replace(/(?<=[^/])\.[^./]*$/, '');
}

/** Suites and name; repeated names are numbered. */
function identified(tests: readonly FoundTest[], { line }: ResultsLimits): ForeignTest[] {
  const seen = new Map<string, number>();
  return tests.map((test) => {
    const path = cut([...test.suites, test.name].join(' › '), line);
    const count = (seen.get(path) ?? 0) + 1;
    seen.set(path, count);
    return { ...test, id: count === 1 ? path : `${path} (${count})` };
  });
}
