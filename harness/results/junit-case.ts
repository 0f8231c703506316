import type { ForeignAttempt, FoundTest } from './types.ts';

export type Attributes = Readonly<Record<string, string>>;

const PARTS = [
  'failure',
  'error',
  'skipped',
  // PHPUnit up to 9: a test that cannot run as written.
  'warning',
  // Surefire and nextest: a later attempt of a test that finally failed, and an earlier one of a test that finally
  // passed.
  'rerunFailure',
  'rerunError',
  'flakyFailure',
  'flakyError',
] as const;

/** The outcome of a test case. */
export interface CasePart {
  readonly kind: (typeof PARTS)[number];
  readonly attributes: Attributes;
  text: string;
  output: string;
}

export function isPart(element: string): element is CasePart['kind'] {
  return (PARTS as readonly string[]).includes(element);
}

interface Case {
  readonly attributes: Attributes;
  readonly parts: readonly CasePart[];
  readonly output: string;
}

/** @param suites the suites of the case, the outermost first. */
export function testOfCase(
  testcase: Case,
  suites: readonly { readonly name: string; readonly file?: string }[],
): FoundTest {
  const { attributes, output } = testcase;
  const name = attributes['name'] ?? '';
  const file = attributes['file'] ?? attributes['filepath'] ?? suites.findLast((suite) => suite.file)?.file;
  const line = lineOf(attributes, suites);
  const durationMs = milliseconds(attributes['time']);
  return {
    suites: pathOf(attributes, suites, name),
    name,
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
    ...(durationMs === undefined ? {} : { durationMs }),
    ...outcomeOf(testcase),
    ...(output === '' ? {} : { output }),
  };
}

/** Suites and class, each once: many tools name one after the other. */
function pathOf(
  { classname, class: ofClass }: Attributes,
  suites: readonly { name: string }[],
  name: string,
): string[] {
  const path = suites.map((suite) => suite.name).filter((suite) => suite !== '' && suite !== '(empty)');
  const owner = classname ?? ofClass ?? '';
  if (owner !== '' && owner !== name && !path.includes(owner)) path.push(owner);
  return path;
}

/** pytest counts lines from 0, everybody else from 1. */
function lineOf({ line }: Attributes, suites: readonly { name: string }[]): number | undefined {
  const number = Number(line ?? Number.NaN);
  if (!Number.isSafeInteger(number)) return undefined;
  return suites.at(-1)?.name === 'pytest' ? number + 1 : number;
}

/** Seconds; Surefire groups thousands. */
function milliseconds(time: string | undefined): number | undefined {
  const seconds = Number.parseFloat(time?.replaceAll(',', '') ?? '');
  return Number.isFinite(seconds) ? seconds * 1000 : undefined;
}

type Outcome = Pick<FoundTest, 'verdict' | 'reason' | 'message' | 'details' | 'attempts'>;

function outcomeOf({ attributes, parts, output }: Case): Outcome {
  const of = (...kinds: CasePart['kind'][]) => parts.filter(({ kind }) => kinds.includes(kind));
  const bad = of('failure', 'error', 'warning');
  const durationMs = milliseconds(attributes['time']);
  const todo = of('skipped').find((part) => part.attributes['type'] === 'todo');
  // Node: an expected failure.
  if (bad.length > 0 && todo)
    return { ...failureOf(bad, []), verdict: 'expected failure', reason: todo.attributes['message'] ?? 'todo' };
  if (bad.length > 0) return failureOf(bad, of('rerunFailure', 'rerunError', 'flakyFailure', 'flakyError'));
  const earlier = of('flakyFailure', 'flakyError');
  if (earlier.length > 0) {
    const last: ForeignAttempt = { verdict: 'passed', ...(durationMs === undefined ? {} : { durationMs }) };
    return { verdict: 'flaky', ...wordsOf(earlier[0]!), attempts: [...earlier.map(attemptOf), last] };
  }
  const [skipped] = of('skipped');
  if (skipped) return skipOf(skipped, attributes, output);
  // CTest says "disabled", GoogleTest "suppressed"; neither adds an element.
  if (attributes['status'] === 'disabled' || attributes['result'] === 'suppressed')
    return { verdict: 'skipped', reason: 'disabled' };
  if (attributes['status'] === 'fail') return { verdict: 'failed' };
  if (attributes['status'] === 'notrun') return { verdict: 'error', message: 'it was not run' };
  return { verdict: 'passed' };
}

function failureOf(bad: readonly CasePart[], reruns: readonly CasePart[]): Outcome {
  const [first] = bad as [CasePart];
  const attempts = reruns.length > 0 ? { attempts: [attemptOf(first), ...reruns.map(attemptOf)] } : {};
  const { message } = first.attributes;
  // pytest: an expected failure.
  const strict = /^\[XPASS\(strict\)\]\s*(.*)/s.exec(message ?? '');
  if (strict) return { verdict: 'unexpected success', reason: strict[1]!, ...attempts };
  const details = bad.map(textWithin).filter((text) => text !== '');
  return {
    verdict: bad.some(({ kind }) => kind === 'failure') ? 'failed' : 'error',
    ...wordsOf(first),
    ...(details.length > 0 ? { details: details.join('\n\n') } : {}),
    ...attempts,
  };
}

/** Skipped, unless the tool uses "skipped" for something else. */
function skipOf(part: CasePart, { status }: Attributes, output: string): Outcome {
  const { message, type } = part.attributes;
  const reason = message ?? (part.text.trim() || output.trim());
  // CTest counts it as failed itself, and so does its exit code.
  if (status === 'notrun' && /^(?:Unable to find executable|Required Files Missing|Failed to )/i.test(reason))
    return { verdict: 'error', message: reason };
  return {
    verdict: type === 'pytest.xfail' ? 'expected failure' : 'skipped',
    ...(reason === '' ? {} : { reason }),
  };
}

function attemptOf(part: CasePart): ForeignAttempt {
  const durationMs = milliseconds(part.attributes['time']);
  const details = textWithin(part);
  return {
    verdict: part.kind.endsWith('rror') ? 'error' : 'failed',
    ...(durationMs === undefined ? {} : { durationMs }),
    ...wordsOf(part),
    ...(details === '' ? {} : { details }),
    ...(part.output === '' ? {} : { output: part.output }),
  };
}

/** The message, else the first line of the text, else the type. */
function wordsOf(part: CasePart): { message?: string } {
  const { message, type } = part.attributes;
  const words = message?.trim() || textWithin(part).trim().split('\n')[0] || type;
  return words ? { message: words } : {};
}

function textWithin({ text }: CasePart): string {
  return text.trim() === '' ? '' : text;
}
