import picomatch from 'picomatch';
import { ConfigError, messageOf } from '../base/errors.ts';
import type { ChosenTest, TestSelection } from './test-selection.ts';

/** Flags of a regular expression that affect what it matches, not where a search continues. */
const FLAGS = /^[imsuv]*$/;

/**
 * Whether a full name (`describe > test`) matches a pattern: text that it contains, or `/regex/flags`.
 * The text may have a blank where the name has ` > `, as vitest's own `-t` has it.
 * @throws ConfigError for an invalid regular expression.
 */
export function namePattern(pattern: string): (name: string) => boolean {
  const [, source, flags] = /^\/(.+)\/([a-z]*)$/s.exec(pattern) ?? [];
  if (source === undefined) return (name) => spellings(name).some((spelling) => spelling.includes(pattern));
  if (!FLAGS.test(flags!))
    throw new ConfigError(`--test ${pattern} has flags that say nothing here: ${flags}`, {
      hint: 'Possible are i, m, s, u and v.',
    });
  let regex: RegExp;
  try {
    regex = new RegExp(source, flags);
  } catch (cause) {
    throw new ConfigError(`--test ${pattern} is no regular expression: ${messageOf(cause)}`, {
      cause,
      hint: 'Without the slashes it is text that the name contains.',
    });
  }
  return (name) => spellings(name).some((spelling) => regex.test(spelling));
}

function spellings(name: string): string[] {
  return [name, name.replaceAll(' > ', ' ')];
}

/**
 * Whether a name that a person gave means a test: its full name or `file > name`; if no test beside it has that name,
 * the name is a pattern, as for `--test`.
 * @param beside all tests of its file.
 */
export function isStop(
  wanted: string,
  test: { readonly file: string; readonly name: string },
  beside: readonly { readonly file: string; readonly name: string }[],
): boolean {
  const isExact = ({ file, name }: { readonly file: string; readonly name: string }) =>
    [name, `${file} > ${name}`].flatMap(spellings).includes(wanted);
  if (beside.some(isExact)) return isExact(test);
  const fits = namePattern(wanted);
  return fits(test.name) || fits(`${test.file} > ${test.name}`);
}

/** Whether a glob matches a file of a suite: its path in the suite, its name alone, or its path in the project. */
export function filePattern(glob: string): (suite: string, file: string) => boolean {
  const path = glob.replace(/^\.\//, '');
  const match = picomatch(path, { basename: !glob.includes('/') });
  const fits = (one: string) => one === path || match(one);
  return (suite, file) => [file, `${suite}/${file}`, `suites/${suite}/${file}`].some(fits);
}

/** The choices of a selection among the tests of a suite. */
export interface Chooser {
  /** Whether a file may contain selected tests. */
  file(file: string): boolean;
  test(file: string, name: string): boolean;
}

/** @param suite the suite's name. @throws ConfigError for an invalid regular expression. */
export function chooser(selection: TestSelection | undefined, suite: string): Chooser {
  const { names, files, only } = selection ?? {};
  const patterns = names?.map(namePattern);
  const globs = files?.map(filePattern);
  const isOne = (file: string, name?: string) =>
    only === undefined || only.some((one) => one.file === file && (name === undefined || (one.test ?? name) === name));
  const ofFile = (file: string) => globs === undefined || globs.some((glob) => glob(suite, file));
  return {
    file: (file) => ofFile(file) && isOne(file),
    test: (file, name) => ofFile(file) && isOne(file, name) && (patterns?.some((pattern) => pattern(name)) ?? true),
  };
}

/** A selection as command-line options, for messages. */
export function selectionText({ names = [], files = [], only }: TestSelection): string {
  const words = [
    ...names.map((name) => `--test '${name}'`),
    ...files.map((file) => `--file '${file}'`),
    ...(only === undefined ? [] : [only.map(textOf).join(', ')]),
  ];
  return words.join(' ');
}

function textOf({ file, test }: ChosenTest): string {
  return test === undefined ? file : `${file} > ${test}`;
}
