import type { z } from 'zod';
import { didYouMean, expectedOneOf, nearest } from '../base/nearest.ts';
import { quote } from '../base/quote.ts';
import { keysAt } from './schema-keys.ts';
import type { Problem } from './yaml-source.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** Zod's issues, worded for the person who wrote the value by hand. */
export function problemsOf(issues: readonly Issue[], schema: z.ZodType, value: unknown): Problem[] {
  const flat = issues.flatMap((issue) => flatten(issue, []));
  const misspelt = flat.filter((issue) => issue.code === 'unrecognized_keys').map((issue) => pathText(issue.path));
  // A key that was misspelt is not reported as missing as well.
  const meant = new Set<string>();
  const problems: Problem[] = [];
  for (const issue of flat) {
    if (issue.code !== 'unrecognized_keys') continue;
    const keys = keysAt(schema, issue.path);
    for (const key of issue.keys) {
      const word = nearest(key, keys);
      if (word !== undefined) meant.add(pathText([...issue.path, word]));
      const text = `unknown key ${quote(key)}, ${expectedOneOf(keys)}${didYouMean(key, keys)}`;
      problems.push({ path: [...issue.path, key], atKey: true, text });
    }
  }
  for (const issue of flat) {
    if (issue.code === 'unrecognized_keys') continue;
    // Rules about a whole map cannot be checked while a key of it is misspelt.
    if (issue.code === 'custom' && misspelt.includes(pathText(issue.path))) continue;
    if (meant.has(pathText(issue.path)) && valueAt(value, issue.path) === undefined) continue;
    problems.push(problemOf(issue, value));
  }
  return problems;
}

/** Whether an issue says that the value as a whole has another type, also of unions in unions. */
function isAnotherType(issue: Issue): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === 'invalid_union') return issue.errors.every((branch) => branch.some(isAnotherType));
  return issue.code === 'invalid_type';
}

/** A union's issue as those of the branch that was most likely meant, with paths from the root. */
function flatten(issue: Issue, prefix: Path): Issue[] {
  const path = [...prefix, ...issue.path];
  if (issue.code !== 'invalid_union') return [{ ...issue, path }];
  const reached = issue.errors.filter((branch) => !branch.some(isAnotherType));
  // A branch whose issue is about a part of the value has matched the whole: a list is not a wrong word.
  const ofTheWhole = (branch: readonly Issue[]) => Number(branch.some((inner) => inner.path.length === 0));
  const chosen = reached.toSorted((a, b) => ofTheWhole(a) - ofTheWhole(b) || a.length - b.length)[0];
  if (chosen) return chosen.flatMap((inner) => flatten(inner, path));
  // No branch was tried where one key tells which is meant; the schema says what it may be.
  if (issue.errors.length === 0) return [{ code: 'custom', path, message: issue.message } as Issue];
  const types = leavesOf(issue).map((inner) =>
    inner.code === 'invalid_type' ? typeText(inner.expected) : inner.message,
  );
  return [{ code: 'custom', path, message: `expected ${[...new Set(types)].join(' or ')}` } as Issue];
}

/** The issues of a union's branches, also of unions in unions. */
function leavesOf(issue: Issue): Issue[] {
  return issue.code === 'invalid_union' ? issue.errors.flat().flatMap(leavesOf) : [issue];
}

function problemOf(issue: Issue, root: unknown): Problem {
  const path = issue.path;
  const value = valueAt(root, path);
  if (value === undefined && path.length > 0) {
    const type = issue.code === 'invalid_type' ? `, expected ${typeText(issue.expected)}` : '';
    const among = issue.code === 'invalid_value' ? `, ${expectedValues(issue.values)}` : '';
    return {
      path: path.slice(0, -1),
      text: `missing key ${quote(String(path.at(-1)))}${inside(path.slice(0, -1))}${type}${among}`,
    };
  }
  if (issue.code === 'invalid_key') {
    const why = issue.issues[0]?.message ?? 'expected another name';
    return {
      path,
      atKey: true,
      text: `${quote(String(path.at(-1)))} is no good as a key${inside(path.slice(0, -1))}, ${why}`,
    };
  }
  return { path, text: textOf(issue, path, value) };
}

function textOf(issue: Issue, path: Path, value: unknown): string {
  const has = `${pathText(path)} is ${valueText(value)}`;
  switch (issue.code) {
    case 'invalid_type': {
      if (issue.message.startsWith('expected ')) return `${has}, ${issue.message}`;
      // YAML has parsed it as another type.
      const unquoted = issue.expected === 'string' && (typeof value === 'number' || typeof value === 'boolean');
      return `${has}, expected ${typeText(issue.expected)}${unquoted ? ': put it in quotes' : ''}`;
    }
    case 'invalid_value':
      return `${has}, ${expectedValues(issue.values)}${wordFor(value, issue.values)}`;
    case 'too_small':
      return `${has}, expected ${issue.inclusive === false ? 'more than' : 'at least'} ${amount(issue.minimum, issue.origin)}`;
    case 'too_big':
      return `${has}, expected ${issue.inclusive === false ? 'less than' : 'at most'} ${amount(issue.maximum, issue.origin)}`;
    case 'custom':
      return customText(issue, path, has, value);
    default:
      return `${has}, ${issue.message.startsWith('expected ') ? issue.message : `expected otherwise: ${issue.message}`}`;
  }
}

/** Our own rules write their message themselves; a rule about a known set of words passes it as `params.words`. */
function customText(issue: Issue & { code: 'custom' }, path: Path, has: string, value: unknown): string {
  const { among, words } = (issue.params ?? {}) as { among?: readonly string[]; words?: readonly string[] };
  if (among) return `${issue.message}, ${expectedOneOf(among)}${didYouMean(String(value), words ?? among)}`;
  const whole = typeof value === 'object' && value !== null;
  if (issue.message.startsWith('expected ') && !whole) return `${has}, ${issue.message}`;
  return `${pathText(path)}: ${issue.message}`;
}

/** With only one valid word, the message has it already. */
function wordFor(value: unknown, values: readonly unknown[]): string {
  return typeof value === 'string' && values.length > 1 ? didYouMean(value, values.map(String)) : '';
}

function expectedValues(values: readonly unknown[]): string {
  return expectedOneOf(values.map(String));
}

function amount(count: number | bigint, origin: string): string {
  const noun = origin === 'string' ? 'character' : origin === 'array' || origin === 'set' ? 'entry' : undefined;
  if (noun === undefined) return String(count);
  return `${count} ${Number(count) === 1 ? noun : noun === 'entry' ? 'entries' : `${noun}s`}`;
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

function typeText(expected: string): string {
  return typeNames[expected] ?? expected;
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  return typeof value === 'object' ? 'a map' : String(value);
}

function inside(path: Path): string {
  return path.length === 0 ? '' : ` in ${pathText(path)}`;
}

/** `stack.files[0].path`; the whole file for the empty path. */
function pathText(path: Path): string {
  if (path.length === 0) return 'the file';
  return path
    .map((part) =>
      typeof part === 'number' ? `[${part}]` : `.${/^[\w-]+$/.test(String(part)) ? String(part) : quote(String(part))}`,
    )
    .join('')
    .replace(/^\./, '');
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, part) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, part)
        ? (at as Record<PropertyKey, unknown>)[part]
        : undefined,
    root,
  );
}
