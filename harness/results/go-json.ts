import { decode } from './decode.ts';
import type { FormatResults, FoundTest, ResultsFormat, ResultsLimits, ResultsProblem } from './types.ts';

/**
 * Output of `go test -json`: one JSON event per line (`go doc test2json`). Other lines, such as a compiler's, are
 * ignored; a package that failed without a failing test becomes a test, because it did not compile, panicked, or timed
 * out. A test that never ended has an error, unless its output says how it ended: up to Go 1.19 the end of a test that
 * prints no newline has no event.
 */
export const goJson: ResultsFormat = { about: '`go test -json`', read: readGoJson };

interface GoEvent {
  readonly Action: string;
  readonly Package: string;
  readonly Test?: string;
  readonly Elapsed?: number;
  readonly Output?: string;
}

interface GoTest {
  readonly name: string;
  readonly package: string;
  state?: 'pass' | 'fail' | 'skip';
  seconds?: number;
  output: string;
}

const ENDS: readonly unknown[] = ['pass', 'fail', 'skip'];

function readGoJson(bytes: Uint8Array, limits: ResultsLimits): FormatResults {
  const { text, problems: found } = decode(bytes);
  const problems: ResultsProblem[] = [...found];
  const packages = new Map<string, GoTest>();
  const tests: GoTest[] = [];
  /** Running tests by package and name: with `-count` a name is repeated. */
  const open = new Map<string, GoTest>();
  let others = 0;
  const lines = text.split('\n');
  const whole = text.endsWith('\n') ? lines.length : lines.length - 1;
  for (const [at, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const event = eventOf(line);
    if (!event) {
      others += 1;
      // Before Go 1.24 a package that does not compile has no event.
      const broken = /^FAIL\t(\S+) \[[a-z ]+ failed\]$/.exec(line.trimEnd())?.[1];
      if (broken !== undefined) {
        const one = packageOf(packages, broken);
        one.state = 'fail';
        one.output += `${line.trimEnd()}\n`;
      }
      if (at >= whole && line.startsWith('{'))
        problems.push({ kind: 'truncated', severity: 'error', message: 'its last line is cut off' });
      continue;
    }
    // A package known only from its tests never ended.
    const own = packageOf(packages, event.Package);
    const whose = event.Test === undefined ? own : testOf(event, tests, open);
    if (tests.length + packages.size > 2 * limits.tests) {
      problems.push({ kind: 'too large', severity: 'error', message: `it has more than ${limits.tests} tests` });
      break;
    }
    if (event.Output !== undefined && whose.output.length <= limits.text) whose.output += event.Output;
    if (!ENDS.includes(event.Action)) continue;
    whose.state = event.Action as 'pass';
    if (event.Elapsed !== undefined) whose.seconds = event.Elapsed;
    if (event.Test !== undefined) open.delete(JSON.stringify([event.Package, event.Test]));
  }
  if (others > 0) {
    const message = `${others} of its lines are no events of go test`;
    problems.push({ kind: 'garbage', severity: 'warning', message });
  }
  const byPackage = Map.groupBy(tests, (test) => test.package);
  return {
    tests: [
      ...tests.map((test) => resultOf(test)),
      ...[...packages.values()].flatMap((one) => packageFailure(one, byPackage.get(one.package) ?? [])),
    ],
    problems,
  };
}

function eventOf(line: string): GoEvent | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const event = JSON.parse(line) as Record<string, unknown>;
    const { Action, Package, ImportPath, Test, Elapsed, Output } = event;
    // Since Go 1.24 a build has an import path instead: `sample [sample.test]`.
    const name = typeof Package === 'string' ? Package : typeof ImportPath === 'string' ? ImportPath.split(' ')[0] : '';
    if (typeof Action !== 'string' || !name) return undefined;
    return {
      Action,
      Package: name,
      ...(typeof Test === 'string' && Test !== '' ? { Test } : {}),
      ...(typeof Elapsed === 'number' ? { Elapsed } : {}),
      ...(typeof Output === 'string' ? { Output } : {}),
    };
  } catch {
    return undefined;
  }
}

function packageOf(packages: Map<string, GoTest>, name: string): GoTest {
  const known = packages.get(name);
  if (known) return known;
  const made: GoTest = { name: '', package: name, output: '' };
  packages.set(name, made);
  return made;
}

function testOf({ Action, Package, Test }: GoEvent, tests: GoTest[], open: Map<string, GoTest>): GoTest {
  const key = JSON.stringify([Package, Test]);
  const known = open.get(key);
  if (known && Action !== 'run') return known;
  const made: GoTest = { name: Test!, package: Package, output: '' };
  tests.push(made);
  open.set(key, made);
  return made;
}

const STATES = { PASS: 'pass', FAIL: 'fail', SKIP: 'skip' } as const;

function resultOf(test: GoTest): FoundTest {
  const { name, seconds, output } = test;
  const ended = /--- (PASS|FAIL|SKIP): \S.* \(\d+\.\d+s\)\s*$/.exec(output)?.[1] as keyof typeof STATES | undefined;
  const state = test.state ?? (ended === undefined ? undefined : STATES[ended]);
  const parts = name.split('/');
  const [file, line, words] = lastMessage(output);
  return {
    suites: [test.package, ...parts.slice(0, -1)],
    name: parts.at(-1)!,
    ...(file !== undefined && state !== 'pass' ? { file, line: Number(line) } : {}),
    ...(seconds === undefined ? {} : { durationMs: seconds * 1000 }),
    ...(state === 'pass'
      ? { verdict: 'passed' }
      : state === 'skip'
        ? { verdict: 'skipped', ...(words === undefined ? {} : { reason: words }) }
        : state === 'fail'
          ? { verdict: 'failed', message: panicIn(output) ?? words ?? 'failed' }
          : { verdict: 'error', message: panicIn(output) ?? 'it never ended' }),
    ...(output === '' ? {} : { output }),
  };
}

function panicIn(output: string): string | undefined {
  return /^panic: .*$/m.exec(output)?.[0];
}

/** File, line and text of a test's last message: the explanation comes last. */
function lastMessage(output: string): string[] {
  const all = output.slice(-20_000).matchAll(/^ +(\S[^:\n]*\.go):(\d+): (.*)$/gm);
  return [...all].at(-1)?.slice(1) ?? [];
}

function packageFailure({ package: name, state, seconds, output }: GoTest, tests: readonly GoTest[]): FoundTest[] {
  const failed = tests.some((test) => test.state === 'fail' || test.state === undefined);
  if (state === 'pass' || state === 'skip' || (state === 'fail' && failed)) return [];
  const words = output
    .split('\n')
    .findLast((line) => /\[(?:build|setup) failed\]|^panic:|^FAIL|^exit status/.test(line));
  return [
    {
      suites: [name],
      name: '(package)',
      verdict: 'error',
      ...(seconds === undefined ? {} : { durationMs: seconds * 1000 }),
      message: state === undefined ? 'the package never ended' : (words ?? 'the package failed, and none of its tests'),
      ...(output === '' ? {} : { output }),
    },
  ];
}
