/**
 * How a foreign test came out. `failed`: what it checks does not hold; `error`: it, or what it needs, broke, or it never
 * ended; `flaky`: it passed after at least one attempt that did not; `expected failure` and `unexpected success`: the test is
 * marked as known to fail.
 */
export type ForeignVerdict =
  | 'passed'
  | 'failed'
  | 'error'
  | 'skipped'
  | 'expected failure'
  | 'unexpected success'
  | 'flaky';

/** One try of a test that was tried more than once. */
export interface ForeignAttempt {
  readonly verdict: 'passed' | 'failed' | 'error';
  readonly durationMs?: number;
  readonly message?: string;
  readonly details?: string;
  readonly output?: string;
}

/** A test as another tool tells of it. All texts are valid Unicode without control characters, and of bounded length. */
export interface ForeignTest {
  /** The same from run to run, and unique in a file: the suites and the name, as far as they fit a line, and which of several of one name. */
  readonly id: string;
  /** Names of what it is in, the outermost first: suites, packages, modules, classes. */
  readonly suites: readonly string[];
  readonly name: string;
  /** As the tool wrote it, often relative to where it ran. */
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
  readonly durationMs?: number;
  readonly verdict: ForeignVerdict;
  /** Why it was skipped, or what it is known to fail for. */
  readonly reason?: string;
  /** What failed, in a line or a few. */
  readonly message?: string;
  /** Traceback, differences, diagnostics. */
  readonly details?: string;
  /** What it printed. */
  readonly output?: string;
  /** In the order tried; the last one is the verdict's. Absent: tried once. */
  readonly attempts?: readonly ForeignAttempt[];
  /** An unexpected success that the format's own tools do not count as a failure (TAP's TODO). */
  readonly allowed?: true;
}

/**
 * What is wrong with a file of results. An `error` means that the tests may not be all that there were, so that they are not
 * green, whatever they say; a `warning` does not.
 */
export interface ResultsProblem {
  readonly kind:
    | 'missing'
    | 'unreadable'
    | 'empty'
    | 'truncated'
    | 'malformed'
    | 'plan'
    | 'bail out'
    | 'too large'
    | 'encoding'
    | 'garbage'
    | 'contradiction';
  readonly severity: 'error' | 'warning';
  /** A sentence without a stop: `the plan is 1..5, and 4 tests were seen`. */
  readonly message: string;
}

/** What a file of results amounts to. */
export interface ForeignResults {
  readonly tests: readonly ForeignTest[];
  readonly problems: readonly ResultsProblem[];
}

/** Bounds on what comes from a guest. What is beyond them is left out, and said. */
export interface ResultsLimits {
  /** Of a file. */
  readonly bytes: number;
  readonly tests: number;
  /** Of suites in suites. */
  readonly depth: number;
  /** Characters of a name, a reason or a message. */
  readonly line: number;
  /** Characters of details and output, each. */
  readonly text: number;
  /** Characters of all tests together: names of suites are said once in a file, and are part of each of their tests. */
  readonly total: number;
}

export const DEFAULT_LIMITS: ResultsLimits = {
  bytes: 64 * 2 ** 20,
  tests: 100_000,
  depth: 64,
  line: 4096,
  text: 65_536,
  total: 128 * 2 ** 20,
};

/**
 * A format of results: one file, and one line in `index.ts`. `read` is pure; it throws nothing and ends in time that grows
 * with the length of the bytes, whatever they are. It need not look at the size of the file, at the number of tests in it
 * being 0, or at identifiers that are not unique: {@link readResults} does that for all.
 */
export interface ResultsFormat {
  /** For `--help`: what writes it. */
  readonly about: string;
  /** Names of files that its tools write beside their results, and that a pattern for these is likely to match. */
  readonly beside?: RegExp;
  read(bytes: Uint8Array, limits: ResultsLimits): FormatResults;
}

/** A test before it has an identifier. */
export type FoundTest = Omit<ForeignTest, 'id'>;

export interface FormatResults {
  readonly tests: readonly FoundTest[];
  readonly problems: readonly ResultsProblem[];
}
