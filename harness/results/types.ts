/**
 * The outcome of a foreign test. `failed`: a check did not hold; `error`: the test or something it needs broke, or it
 * never ended; `flaky`: it passed after at least one failed attempt; `expected failure` and `unexpected success`: the
 * test is marked as known to fail.
 */
export type ForeignVerdict =
  | 'passed'
  | 'failed'
  | 'error'
  | 'skipped'
  | 'expected failure'
  | 'unexpected success'
  | 'flaky';

/** One attempt of a test with several. */
export interface ForeignAttempt {
  readonly verdict: 'passed' | 'failed' | 'error';
  readonly durationMs?: number;
  readonly message?: string;
  readonly details?: string;
  readonly output?: string;
}

/** A test as reported by another tool. All texts are valid Unicode without control characters, and of bounded length. */
export interface ForeignTest {
  /**
   * Stable from run to run, and unique in a file: suites and name, as far as they fit on a line, and a number if they
   * are repeated.
   */
  readonly id: string;
  /** Names of its containers, the outermost first: suites, packages, modules, classes. */
  readonly suites: readonly string[];
  readonly name: string;
  /** As the tool wrote it, often relative to where it ran. */
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
  readonly durationMs?: number;
  readonly verdict: ForeignVerdict;
  /** Why it was skipped or is known to fail. */
  readonly reason?: string;
  /** The failure in one or a few lines. */
  readonly message?: string;
  /** Traceback, differences, diagnostics. */
  readonly details?: string;
  /** What it printed. */
  readonly output?: string;
  /** In order; the last one decided the verdict. Absent: there was one attempt. */
  readonly attempts?: readonly ForeignAttempt[];
  /** An unexpected success that the format's own tools do not count as a failure (TAP's TODO). */
  readonly allowed?: true;
}

/**
 * A problem with a file of results. With an `error` tests may be missing, so the file is not green, whatever its tests
 * say; a `warning` does not have that effect.
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
  /** A sentence without a full stop: `the plan is 1..5, and 4 tests were seen`. */
  readonly message: string;
}

/** The content of a file of results. */
export interface ForeignResults {
  readonly tests: readonly ForeignTest[];
  readonly problems: readonly ResultsProblem[];
}

/** Bounds on guest data. Anything beyond is left out, with a note. */
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
  /** Characters of all tests together: a suite's name occurs once in a file, but in each of its tests here. */
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
 * A format of results: one file, and one line in `index.ts`. `read` is pure, never throws, and takes time linear in the
 * length of the bytes. It need not check the size of the file, for missing tests, or for duplicate identifiers: {@link
 * readResults} does that for all.
 */
export interface ResultsFormat {
  /** For `--help`: the tools that write it. */
  readonly about: string;
  /** Names of files that its tools write beside their results, and that a pattern for results is likely to match. */
  readonly beside?: RegExp;
  read(bytes: Uint8Array, limits: ResultsLimits): FormatResults;
}

/** A test before it has an identifier. */
export type FoundTest = Omit<ForeignTest, 'id'>;

export interface FormatResults {
  readonly tests: readonly FoundTest[];
  readonly problems: readonly ResultsProblem[];
}
