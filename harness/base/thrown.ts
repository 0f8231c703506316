import { inspect, stripVTControlCharacters, types } from 'node:util';

/** What was thrown, as data: whatever it was, reading it neither throws nor runs code of its own for longer than a getter. */
export interface Thrown {
  /** Its name; `Error` where it has none. */
  readonly type: string;
  /** What it says; where it says nothing as a string, an inspection of it. */
  readonly message: string;
  readonly stack?: string;
  readonly hint?: string;
  readonly diff?: string;
  /** What it was caused by, outermost first; the parts of an error of several are among them. */
  readonly causes: readonly string[];
  readonly consoleTail: readonly string[];
}

/** Characters: of a message, and of a stack or a diff. What is cut off is counted. */
const LIMITS = { message: 20_000, text: 60_000 } as const;

/** How many causes are told. */
const MAX_CAUSES = 20;

/**
 * Reads anything that was thrown: errors of this and other realms, of vitest or of a test, what a proxy or a getter makes of
 * it, and what is no error at all. Never throws. Colour codes are left out.
 */
export function readThrown(thrown: unknown): Thrown {
  const { type, message } = headOf(thrown);
  const [stack, hint, diff] = (['stack', 'hint', 'diff'] as const).map((key) => textOf(thrown, key));
  const causes: string[] = [];
  addCauses(thrown, causes, new Set([thrown]), message);
  const tail = propertyOf(thrown, 'consoleTail');
  return {
    type,
    message,
    ...(stack ? { stack: cut(stack, LIMITS.text) } : {}),
    ...(hint ? { hint: cut(hint, LIMITS.message) } : {}),
    ...(diff ? { diff: cut(diff, LIMITS.text) } : {}),
    causes,
    consoleTail: listOf(tail).map((line) => (typeof line === 'string' ? line : inspected(line))),
  };
}

/** A property of anything; undefined where there is none, or where reading it throws. */
export function propertyOf(of: unknown, key: string): unknown {
  if (of === null || (typeof of !== 'object' && typeof of !== 'function')) return undefined;
  try {
    return (of as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

/** Whether a property can be read without anything being thrown. */
export function isReadable(of: object, key: string): boolean {
  try {
    void (of as Record<string, unknown>)[key];
    return true;
  } catch {
    return false;
  }
}

/** Anything as text of a line or a few, with nothing of it called: getters are named, proxies are looked through. */
export function inspected(value: unknown): string {
  try {
    const text = inspect(value, {
      customInspect: false,
      breakLength: 120,
      depth: 4,
      maxArrayLength: 50,
      maxStringLength: 2000,
    });
    // What has come from another process has no prototypes any more; that is no property of what was thrown.
    return cut(text.replaceAll('[Object: null prototype] ', ''), LIMITS.message);
  } catch {
    return `a ${typeof value} that cannot be inspected`;
  }
}

/** Type and message. */
function headOf(thrown: unknown): { readonly type: string; readonly message: string } {
  if (typeof thrown === 'string')
    return { type: 'Error', message: cut(stripVTControlCharacters(thrown), LIMITS.message) };
  const message = textOf(thrown, 'message');
  // A name that something without a message or a stack has is not that of an error.
  const isError = message !== undefined || textOf(thrown, 'stack') !== undefined;
  const type = (isError && textOf(thrown, 'name')) || 'Error';
  if (message !== undefined) return { type, message: cut(message, LIMITS.message) };
  const odd = propertyOf(thrown, 'message');
  return { type, message: odd === undefined || odd === null ? saysNothing(thrown, type) : inspected(odd) };
}

/** Of what has no message: what its stack begins with, which was its message once, or what it is. */
function saysNothing(thrown: unknown, type: string): string {
  const stack = textOf(thrown, 'stack');
  if (stack === undefined) return inspected(thrown);
  const head = stack.split(/\n\s+at /)[0]!;
  const said = head.startsWith(`${type}: `) ? head.slice(type.length + 2) : head === type ? '' : head;
  if (said.trim() !== '') return cut(said, LIMITS.message);
  const rest = besides(thrown);
  return `${type} without a message${rest === undefined ? '' : `: ${inspected(rest)}`}`;
}

/** What something has beside what every error has; undefined where that is nothing. */
function besides(thrown: unknown): Record<string, unknown> | undefined {
  try {
    const rest = Object.entries(Object.getOwnPropertyDescriptors(thrown as object))
      .filter(([key, { enumerable }]) => enumerable && !OF_EVERY_ERROR.has(key))
      .map(([key, { value }]) => [key, value] as const);
    return rest.length > 0 ? Object.fromEntries(rest) : undefined;
  } catch {
    return undefined;
  }
}

/** What vitest makes properties of when it sends an error is among it. */
const OF_EVERY_ERROR = new Set(['name', 'message', 'stack', 'cause', 'constructor', 'toString', 'stacks', 'type']);

/** The causes of what was thrown, and its parts, each with its own causes behind it. */
function addCauses(thrown: unknown, causes: string[], seen: Set<unknown>, said: string): void {
  const told = propertyOf(thrown, 'causes');
  const cause = propertyOf(thrown, 'cause');
  const all = [
    ...listOf(propertyOf(thrown, 'errors')),
    ...listOf(told),
    ...(cause === undefined || cause === null ? [] : [cause]),
  ];
  for (const one of all) {
    if (seen.has(one) && typeof one === 'object') continue;
    seen.add(one);
    if (causes.length === MAX_CAUSES) return;
    const { type, message } = headOf(one);
    const text = type === 'Error' || typeof one !== 'object' ? message : `${type}: ${message}`;
    // What the message says already is not said again.
    if (message !== '' && !said.includes(message)) causes.push(text);
    addCauses(one, causes, seen, said);
  }
}

function listOf(value: unknown): readonly unknown[] {
  try {
    return Array.isArray(value) ? Array.from(value as unknown[]) : [];
  } catch {
    return [];
  }
}

function textOf(of: unknown, key: string): string | undefined {
  const value = propertyOf(of, key);
  return typeof value === 'string' ? stripVTControlCharacters(value) : undefined;
}

function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}… (${text.length - limit} more characters)`;
}

/** Whether something is an error of whatever realm, and not a proxy of one. */
export function isNativeError(value: unknown): value is Error {
  return types.isNativeError(value) && !types.isProxy(value);
}
