import { decode } from './decode.ts';
import { type TapResult, tapLine } from './tap-lines.ts';
import type { FormatResults, FoundTest, ResultsFormat, ResultsLimits, ResultsProblem } from './types.ts';

/**
 * The Test Anything Protocol, versions 12 to 14, with subtests, directives and YAML. A subtest's result is not a test of its
 * own when it has tests in it, unless it failed and none of them did. A block of YAML is kept as it is, but for the message,
 * the place and the duration. Sources: https://testanything.org/tap-version-13-specification.html and
 * https://testanything.org/tap-version-14-specification.html
 */
export const tap: ResultsFormat = {
  about: 'TAP 12 to 14 with subtests, as Test::More, bats, Automake, node --test and many others write it',
  // Automake's summary of all `.log` files is a `.log` file.
  beside: /(?:^|\/)test-suite\.log$/,
  read: (bytes, limits) => readTap(bytes, limits, { kernel: false }),
};

/**
 * KTAP, the kernel's, also inside a log of the kernel. Against TAP, diagnostics come before the result that they are about,
 * subtests are indented by two blanks, and there are more directives.
 * Source: https://docs.kernel.org/dev-tools/ktap.html
 */
export const ktap: ResultsFormat = {
  about: 'KTAP, as KUnit and kselftest write it, also inside a kernel log',
  read: (bytes, limits) => readTap(bytes, limits, { kernel: true }),
};

/** A group of results with the same indentation. */
interface Level {
  readonly indent: number;
  /** From `# Subtest: name`, until its result line. */
  name?: string;
  plan?: { readonly count: number; readonly skip?: string };
  results: number;
  readonly numbers: Set<number>;
  /** Its tests, with their inner suites. */
  tests: FoundTest[];
  /** Output since the last result. */
  before: string[];
  /** The test that a block of YAML or a comment may be about. */
  last?: { test: Mutable<FoundTest> };
  /** Its result precedes it, with a `{`. */
  opened?: TapResult;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function readTap(bytes: Uint8Array, limits: ResultsLimits, { kernel }: { readonly kernel: boolean }): FormatResults {
  const { text, problems: found } = decode(bytes);
  const reader = new TapReader(limits, kernel, [...found]);
  for (const line of text.split('\n')) if (!reader.take(line.replace(/\r$/, ''))) break;
  return reader.end();
}

class TapReader {
  readonly #limits: ResultsLimits;
  readonly #kernel: boolean;
  readonly #problems: ResultsProblem[];
  readonly #levels: [Level, ...Level[]] = [levelAt(0)];
  /** Tests of a finished subtest whose result has not come yet. */
  #pending: Level | undefined;
  #nextName: string | undefined;
  #yaml: { readonly indent: number; readonly lines: string[] } | undefined;
  #tests = 0;
  #started: boolean;
  #bailed = false;

  constructor(limits: ResultsLimits, kernel: boolean, problems: ResultsProblem[]) {
    this.#limits = limits;
    this.#kernel = kernel;
    this.#problems = problems;
    this.#started = false;
  }

  /** @returns whether to continue. */
  take(raw: string): boolean {
    if (this.#takeYaml(raw)) return true;
    const line = tapLine(raw.slice(0, 2 * this.#limits.line), { kernel: this.#kernel });
    if (line.kind === 'other' || line.kind === 'comment') {
      this.#text(line.kind === 'other' ? raw : line.text, line.kind === 'comment');
      return true;
    }
    if (this.#kernel && !this.#started && line.kind !== 'version') return true;
    if (line.kind === 'yaml begins') {
      if (this.#level.last) this.#yaml = { indent: line.indent, lines: [] };
      return true;
    }
    if (line.kind === 'yaml ends') return true;
    if (line.kind === 'bail out') {
      this.#bailed = true;
      this.#problem(
        'bail out',
        `it ends with "Bail out!"${line.reason === '' ? '' : `: ${line.reason.slice(0, 200)}`}`,
      );
      return false;
    }
    if (line.kind === 'close') {
      while (line.indent < this.#level.indent && this.#levels.length > 1) this.#leave();
      this.#closeEmpty();
      return true;
    }
    this.#started = true;
    if (line.kind === 'version' && line.indent === 0) this.#nextDocument();
    if (line.kind === 'subtest' && line.indent <= this.#level.indent) {
      while (line.indent < this.#level.indent && this.#levels.length > 1) this.#leave();
      this.#nextName = line.name;
      return true;
    }
    if (!this.#goTo(line.indent, line.kind !== 'result' || line.number !== undefined)) return true;
    if (line.kind === 'subtest') this.#level.name ??= line.name;
    else if (line.kind === 'plan') this.#plan(line);
    else if (line.kind === 'result') return this.#result(line);
    return true;
  }

  end(): FormatResults {
    if (this.#yaml) {
      this.#problem('truncated', 'a block of YAML has no end');
      describe(this.#level.last!.test, this.#yaml.lines);
    }
    while (this.#levels.length > 1) this.#leave();
    if (this.#pending) this.#orphan();
    const [top] = this.#levels;
    if (!this.#bailed) this.#checkTop(top);
    return { tests: top.tests, problems: this.#problems };
  }

  /** Several documents in a row: of several programs, or modules of a kernel. */
  #nextDocument(): void {
    while (this.#levels.length > 1) this.#leave();
    if (this.#pending) this.#orphan();
    const [top] = this.#levels;
    if (!top.plan && top.results === 0) return;
    this.#closeEmpty();
    this.#checkTop(top);
    Object.assign(top, { ...levelAt(0), tests: top.tests });
    delete top.plan;
    delete top.last;
  }

  #checkTop(top: Level): void {
    this.#check(top, 'the file');
    if (this.#started && !top.plan && (!this.#kernel || top.results === 0))
      this.#problem('truncated', 'it has no plan (1..N), so that nobody knows how many tests there should be');
  }

  get #level(): Level {
    return this.#levels.at(-1)!;
  }

  #problem(kind: ResultsProblem['kind'], message: string): void {
    if (this.#problems.length < 100) this.#problems.push({ kind, severity: 'error', message });
  }

  /** Makes the level of an indentation the current one. */
  #goTo(indent: number, mayOpen: boolean): boolean {
    while (indent < this.#level.indent && this.#levels.length > 1) this.#leave();
    if (indent === this.#level.indent) return true;
    // A difference of about one blank counts as the same: tools differ.
    if (indent < this.#level.indent + 2) return true;
    if (!mayOpen) return false;
    if (this.#levels.length >= this.#limits.depth) {
      this.#problem('too large', `its subtests are nested more than ${this.#limits.depth} deep`);
      return false;
    }
    const opened = this.#level.opened;
    const level = levelAt(indent);
    if (this.#nextName !== undefined) level.name = this.#nextName;
    this.#nextName = undefined;
    if (opened) level.name ??= opened.name;
    this.#levels.push(level);
    return true;
  }

  /** Ends the innermost level; its tests wait for its result. */
  #leave(): void {
    const level = this.#levels.pop()!;
    if (this.#pending) this.#orphan();
    const parent = this.#level;
    if (parent.opened) {
      const result = parent.opened;
      delete parent.opened;
      this.#check(level, `the subtest ${JSON.stringify(result.name.slice(0, 100))}`);
      this.#add(parent, result, level);
    } else this.#pending = level;
  }

  /** A subtest without a result: its tests are kept, and the file is incomplete. */
  #orphan(): void {
    const level = this.#pending!;
    this.#pending = undefined;
    const name = level.name ?? '(subtest)';
    this.#check(level, `the subtest ${JSON.stringify(name.slice(0, 100))}`);
    this.#problem('truncated', `the subtest ${JSON.stringify(name.slice(0, 100))} has no result`);
    append(this.#level.tests, within(name, level.tests));
  }

  #plan({ count, skip }: { readonly count: number; readonly skip?: string }): void {
    const level = this.#level;
    if (level.plan) this.#problem('plan', 'there is more than one plan');
    else level.plan = { count, ...(skip === undefined ? {} : { skip }) };
    // Lines after a final plan belong to no test: node prints its summary there.
    if (level.results > 0) delete level.last;
  }

  /** A `{` that nothing followed. */
  #closeEmpty(): void {
    const level = this.#level;
    const { opened } = level;
    if (!opened) return;
    delete level.opened;
    this.#add(level, opened, undefined);
  }

  #result(result: TapResult): boolean {
    const level = this.#level;
    this.#closeEmpty();
    level.results += 1;
    this.#nextName = undefined;
    if (result.number !== undefined) {
      if (level.numbers.has(result.number)) this.#problem('plan', `there is more than one test ${result.number}`);
      level.numbers.add(result.number);
    }
    if (this.#tests >= this.#limits.tests) {
      this.#problem('too large', `it has more than ${this.#limits.tests} tests`);
      return false;
    }
    if (result.opens) {
      level.opened = result;
      return true;
    }
    const inner = this.#pending;
    this.#pending = undefined;
    if (inner) this.#check(inner, `the subtest ${JSON.stringify(result.name.slice(0, 100))}`);
    this.#add(level, result, inner);
    return true;
  }

  #add(level: Level, result: TapResult, inner: Level | undefined): void {
    this.#tests += 1;
    const name = result.name || inner?.name || (result.number === undefined ? '' : `test ${result.number}`);
    const test: Mutable<FoundTest> = { suites: [], name, ...outcomeOf(result) };
    if (result.durationMs !== undefined) test.durationMs = result.durationMs;
    // The plan of a subtest that was skipped says why.
    if (test.verdict === 'skipped' && !test.reason && inner?.plan?.skip) test.reason = inner.plan.skip;
    level.last = { test };
    const before = level.before.join('\n');
    level.before = [];
    if (this.#kernel && before !== '') Object.assign(test, { details: before }, saidBy(test, before));
    if (result.ended && test.verdict === 'failed') test.message ??= result.ended.replace('exit=', 'exit code ');
    const inside = within(name, inner?.tests ?? []);
    // A subtest that is known to fail does not turn its tests into failures.
    const children = test.verdict === 'expected failure' ? inside.map((one) => expected(one, test.reason)) : inside;
    append(level.tests, children);
    const isExplained = children.some(({ verdict }) => verdict === 'failed' || verdict === 'error');
    const isBad = test.verdict === 'failed' || test.verdict === 'error';
    if (children.length === 0 || (isBad && !isExplained)) level.tests.push(test);
  }

  #text(text: string, isComment: boolean): void {
    const level = this.#level;
    const clipped = text.slice(0, this.#limits.text);
    if (!this.#kernel && isComment && level.last) {
      const { test } = level.last;
      if ((test.details?.length ?? 0) < this.#limits.text)
        test.details = test.details === undefined ? clipped : `${test.details}\n${clipped}`;
      if (test.verdict === 'failed' && test.message === undefined && clipped.trim() !== '') test.message = clipped;
    } else if (this.#kernel && level.before.length < 1000) level.before.push(clipped);
    else if (
      !isComment &&
      level.last &&
      (level.last.test.output?.length ?? 0) < this.#limits.text &&
      text.trim() !== ''
    ) {
      const { test } = level.last;
      test.output = test.output === undefined ? clipped : `${test.output}\n${clipped}`;
    }
  }

  /** @returns whether the line was of a block of YAML. */
  #takeYaml(raw: string): boolean {
    const yaml = this.#yaml;
    if (!yaml) return false;
    if (raw.trim() === '...') {
      this.#yaml = undefined;
      describe(this.#level.last!.test, yaml.lines);
      return true;
    }
    const indent = raw.length - raw.trimStart().length;
    // A block that is not closed ends where the indentation does.
    if (raw.trim() !== '' && indent < yaml.indent) {
      this.#yaml = undefined;
      describe(this.#level.last!.test, yaml.lines);
      this.#problem('truncated', 'a block of YAML has no end');
      return false;
    }
    if (yaml.lines.length < 2000) yaml.lines.push(raw.slice(yaml.indent, yaml.indent + this.#limits.line));
    return true;
  }

  /** Whether a level has as many tests as it planned. */
  #check({ plan, results, numbers, opened }: Level, of: string): void {
    if (opened) this.#problem('truncated', `the subtest ${JSON.stringify(opened.name.slice(0, 100))} has no end`);
    if (!plan) return;
    if (results !== plan.count)
      this.#problem('plan', `the plan of ${of} is 1..${plan.count}, and ${results} tests were seen`);
    else if ([...numbers].some((number) => number < 1 || number > plan.count))
      this.#problem('plan', `${of} has a test with a number that is not in the plan 1..${plan.count}`);
    if (plan.count === 0 && results === 0 && of === 'the file' && plan.skip !== undefined)
      this.#levels[0].tests.push({ suites: [], name: '(all tests)', verdict: 'skipped', reason: plan.skip });
  }
}

function levelAt(indent: number): Level {
  return { indent, results: 0, numbers: new Set(), tests: [], before: [] };
}

function within(name: string, tests: readonly FoundTest[]): FoundTest[] {
  return tests.map((test) => ({ ...test, suites: [name, ...test.suites] }));
}

function append(all: FoundTest[], more: readonly FoundTest[]): void {
  for (const one of more) all.push(one);
}

function expected(test: FoundTest, reason: string | undefined): FoundTest {
  if (test.verdict !== 'failed' && test.verdict !== 'error') return test;
  return { ...test, verdict: 'expected failure', ...(reason ? { reason } : {}) };
}

function outcomeOf({ ok, directive }: TapResult): Pick<FoundTest, 'verdict' | 'reason' | 'message' | 'allowed'> {
  const reason = directive && directive.reason !== '' ? { reason: directive.reason } : {};
  switch (directive?.word) {
    case 'SKIP':
      return { verdict: 'skipped', ...reason };
    case 'TODO':
      return ok
        ? { verdict: 'unexpected success', ...reason, allowed: true }
        : { verdict: 'expected failure', ...reason };
    case 'XFAIL':
      // kselftest writes it behind `ok`.
      return { verdict: 'expected failure', ...reason };
    case 'TIMEOUT':
    case 'ERROR':
      return { verdict: 'error', message: directive.reason || directive.word.toLowerCase() };
    default:
      return { verdict: ok ? 'passed' : 'failed' };
  }
}

/** How kselftest's harness and KUnit report a failed check and its place. */
const SAID: readonly RegExp[] = [
  /^(?<file>[^\s:]+\.\w+):(?<line>\d+):[^:]+:(?<words>.*)$/m,
  /^(?:.*: )?(?:EXPECTATION|ASSERTION) FAILED at (?<file>[^\s:]+):(?<line>\d+)\n(?<words>.*)$/m,
];

/** Message and place of a failed test, from the output before its result. */
function saidBy({ verdict }: FoundTest, before: string): Pick<FoundTest, 'message' | 'file' | 'line'> {
  if (verdict !== 'failed' && verdict !== 'error') return {};
  const { file, line, words } = SAID.map((one) => one.exec(before)?.groups).find((one) => one !== undefined) ?? {};
  return file === undefined ? {} : { file, line: Number(line), ...(words?.trim() ? { message: words.trim() } : {}) };
}

/** Keeps a block of YAML, and extracts the fields that every report shows. */
function describe(test: Mutable<FoundTest>, lines: readonly string[]): void {
  const value = (key: string) => {
    const line = lines.find((one) => one.startsWith(`${key}:`));
    return line
      ?.slice(key.length + 1)
      .trim()
      .replace(/^(['"])(.*)\1$/, '$2');
  };
  const duration = Number(value('duration_ms') ?? Number.NaN);
  if (Number.isFinite(duration)) test.durationMs = duration;
  const message = value('message') ?? value('error');
  if (message !== undefined && !/^[|>][+-]?$/.test(message)) test.message = message;
  else if (message !== undefined) {
    const at = lines.findIndex((line) => /^(?:message|error):/.test(line));
    const first = lines.slice(at + 1).find((line) => line.trim() !== '');
    if (first?.startsWith(' ')) test.message = first.trim();
  }
  const place = /^(.*?):(\d+)(?::\d+)?$/.exec(value('location') ?? value('at') ?? '');
  if (place) {
    test.file = place[1]!;
    test.line = Number(place[2]);
  } else {
    // node-tap has them in `at`, each on a line of its own.
    const inner = (key: RegExp) => lines.map((line) => key.exec(line)?.[1]).find((found) => found !== undefined);
    const file = inner(/^ +(?:fileName|file): (\S+)$/);
    const line = inner(/^ +(?:lineNumber|line): (\d+)$/);
    if (file !== undefined && line !== undefined) Object.assign(test, { file, line: Number(line) });
  }
  if (['failed', 'error', 'expected failure'].includes(test.verdict))
    test.details = [test.details, lines.join('\n')].filter(Boolean).join('\n');
}
