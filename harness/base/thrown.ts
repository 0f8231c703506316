import { inspect, stripVTControlCharacters, types } from 'node:util';

/** A thrown value as data. Reading it never throws, and runs no foreign code except getters. */
export interface Thrown {
  /** Its name; `Error` where it has none. */
  readonly type: string;
  /** Its message; an inspection if that is not a string. */
  readonly message: string;
  readonly stack?: string;
  readonly hint?: string;
  readonly diff?: string;
  /** Its causes, outermost first, including the parts of an AggregateError. */
  readonly causes: readonly string[];
  readonly consoleTail: readonly string[];
}

/** Characters: of a message, and of a stack or a diff. What is cut off is counted. */
const LIMITS = { message: 20_000, text: 60_000 } as const;

/** Maximum number of causes. */
const MAX_CAUSES = 20;

/**
 * Reads any thrown value: errors of this and other realms, of vitest or of a test, proxies, objects with getters, and
 * values that are not errors. Never throws. Colour codes are removed.
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

/** A property of anything; undefined if it does not exist or reading it throws. */
export function propertyOf(of: unknown, key: string): unknown {
  if (of === null || (typeof of !== 'object' && typeof of !== 'function')) return undefined;
  try {
    return (of as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

/** Whether a property can be read without an exception. */
export function isReadable(of: object, key: string): boolean {
  try {
    void (of as Record<string, unknown>)[key];
    return true;
  } catch {
    return false;
  }
}

/** Describes anything in a few lines without calling any of its code: getters are named, proxies are looked through. */
export function inspected(value: unknown): string {
  try {
    const text = inspect(value, {
      customInspect: false,
      breakLength: 120,
      depth: 4,
      maxArrayLength: 50,
      maxStringLength: 2000,
    });
    // A value from another process has lost its prototypes; that is not a property of the original.
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
  // Without a message or a stack, `name` is not the name of an error.
  const isError = message !== undefined || textOf(thrown, 'stack') !== undefined;
  const type = (isError && textOf(thrown, 'name')) || 'Error';
  if (message !== undefined) return { type, message: cut(message, LIMITS.message) };
  const odd = propertyOf(thrown, 'message');
  return { type, message: odd === undefined || odd === null ? messageFromStack(thrown, type) : inspected(odd) };
}

/** For a value without a message: the start of its stack, which was its message, or its description. */
function messageFromStack(thrown: unknown, type: string): string {
  const stack = textOf(thrown, 'stack');
  if (stack === undefined) return inspected(thrown);
  const head = stack.split(/\n\s+at /)[0]!;
  const said = head.startsWith(`${type}: `) ? head.slice(type.length + 2) : head === type ? '' : head;
  if (said.trim() !== '') return cut(said, LIMITS.message);
  const rest = besides(thrown);
  return `${type} without a message${rest === undefined ? '' : `: ${inspected(rest)}`}`;
}

/** The properties that ordinary errors do not have; undefined if there are none. */
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

/** Includes the properties that vitest adds when it serialises an error. */
const OF_EVERY_ERROR = new Set(['name', 'message', 'stack', 'cause', 'constructor', 'toString', 'stacks', 'type']);

/** The causes and parts of a thrown value, each followed by its own causes. */
function addCauses(thrown: unknown, causes: string[], seen: Set<unknown>, said: string): void {
  const listed = propertyOf(thrown, 'causes');
  const cause = propertyOf(thrown, 'cause');
  const all = [
    ...listOf(propertyOf(thrown, 'errors')),
    ...listOf(listed),
    ...(cause === undefined || cause === null ? [] : [cause]),
  ];
  for (const one of all) {
    if (seen.has(one) && typeof one === 'object') continue;
    seen.add(one);
    if (causes.length === MAX_CAUSES) return;
    const { type, message } = headOf(one);
    const text = type === 'Error' || typeof one !== 'object' ? message : `${type}: ${message}`;
    // Causes that the message already contains are left out.
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

/** Whether a value is an error of any realm, and not a proxy. */
export function isNativeError(value: unknown): value is Error {
  return types.isNativeError(value) && !types.isProxy(value);
}
