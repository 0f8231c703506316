import { type SaxesAttributePlain, SaxesParser, type SaxesTagPlain } from 'saxes';
import { decode } from './decode.ts';
import { type Attributes, type CasePart, isPart, testOfCase } from './junit-case.ts';
import type { FormatResults, FoundTest, ResultsFormat, ResultsLimits, ResultsProblem } from './types.ts';

/**
 * JUnit XML: no standard, but a family. Read from real files of pytest, CTest, GoogleTest, Surefire, gotestsum, jest-junit, Vitest,
 * PHPUnit, Meson, bats and Node; what each means by what stands in `junit-case.ts`.
 *
 * The parser is strict but for characters that XML does not allow, which tools write when a test prints them. It knows no
 * entities but the five of XML: one that a document declares is an error and not replaced, so that nothing is fetched and
 * nothing grows.
 */
export const junit: ResultsFormat = {
  about: 'JUnit XML, as pytest, CTest, GoogleTest, Surefire, nextest, gotestsum, jest, PHPUnit and Meson write it',
  read: readJunit,
};

/** A file that ends too early. */
class Stop extends Error {}

interface Suite {
  readonly name: string;
  readonly file?: string;
  /** Its own attributes. */
  readonly declared: { readonly tests: number; readonly bad: number };
  seen: number;
  bad: number;
}

interface OpenCase {
  readonly attributes: Attributes;
  readonly parts: CasePart[];
  output: string;
}

function readJunit(bytes: Uint8Array, limits: ResultsLimits): FormatResults {
  const { text: decoded, problems: found } = decode(bytes, declaredEncoding(bytes));
  const problems: ResultsProblem[] = [...found];
  const text = allowed(decoded);
  const tests: FoundTest[] = [];
  const elements: string[] = [];
  const suites: Suite[] = [];
  let open: OpenCase | undefined;
  let part: CasePart | undefined;
  let collected: string | undefined;
  let badCharacters = text === decoded ? 0 : 1;

  const stop = (kind: ResultsProblem['kind'], message: string): never => {
    problems.push({ kind, severity: 'error', message });
    throw new Stop();
  };
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    const isCharacter = /disallowed character|malformed character entity/.test(error.message);
    if (isCharacter && ++badCharacters <= MOST_BAD_CHARACTERS) return;
    stop('malformed', `it is not well-formed: ${error.message.slice(0, 200)}`);
  });
  parser.on('doctype', (doctype) => {
    if (/<!ENTITY/i.test(doctype)) stop('malformed', 'it declares entities, which are not read');
  });
  parser.on('opentag', ({ name: element, attributes }: SaxesTagPlain) => {
    elements.push(element);
    if (elements.length > limits.depth) stop('too large', `its elements are nested more than ${limits.depth} deep`);
    if (element === 'testsuite' || element === 'testsuites') suites.push(suiteOf(element, attributes));
    else if (element === 'testcase' && !open) {
      if (tests.length >= limits.tests) stop('too large', `it has more than ${limits.tests} tests`);
      open = { attributes, parts: [], output: '' };
    } else if (isPart(element) && (open || suites.length > 0) && !part) {
      part = { kind: element, attributes, text: '', output: '' };
      collected = '';
    } else if (isText(element)) {
      // Text before an inner element belongs to the part.
      if (part && collected !== undefined) part.text += collected;
      collected = '';
    }
  });
  const collect = (more: string) => {
    if (collected !== undefined && collected.length <= limits.text) collected += more;
  };
  parser.on('text', collect);
  parser.on('cdata', collect);
  parser.on('closetag', () => {
    const element = elements.pop()!;
    if (element === 'testsuite' || element === 'testsuites') closeSuite(suites, problems);
    else if (element === 'testcase' && open && !elements.includes('testcase')) {
      const test = testOfCase(open, suites);
      count(suites, test);
      tests.push(test);
      open = undefined;
    } else if (part && element === part.kind) {
      if (collected !== undefined) part.text += collected;
      if (open) open.parts.push(part);
      else tests.push(...suiteFailure(part, suites));
      part = undefined;
      collected = undefined;
    } else if (isText(element) && collected !== undefined) {
      if (element === 'stackTrace' && part) part.text += collected;
      else if (part) part.output += collected;
      else if (open) open.output += collected;
      // Beyond an inner element more text of the part may follow.
      collected = part ? '' : undefined;
    }
  });
  try {
    parser.write(text);
    try {
      parser.close();
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      // The missing end was never written.
      const last = problems.pop()!;
      problems.push({ ...last, kind: 'truncated', message: `it ends too early: ${last.message}` });
    }
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
  }
  if (badCharacters > 0)
    problems.push({ kind: 'encoding', severity: 'warning', message: 'it has characters that XML does not allow' });
  return { tests: text === decoded ? tests : restored(tests), problems };
}

/** The parser creates an error for each such character, which is slow. */
const MOST_BAD_CHARACTERS = 1000;

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is to be replaced
const DISALLOWED = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;
/** The same as character references, which tools often use for coloured output. */
const REFERENCE = /&#(?:x0*([\da-f]{1,2})|0*(\d{1,2}));/gi;
/** Private characters that replace control characters while XML is parsed. */
const STAND_INS = 0xf700;

/** Text without characters that XML forbids, but tools write when a test prints them. */
function allowed(text: string): string {
  const standIn = (code: number) => String.fromCharCode(code < 32 ? STAND_INS + code : 0xfffd);
  return text
    .toWellFormed()
    .replace(DISALLOWED, (character) => standIn(character.charCodeAt(0)))
    .replace(REFERENCE, (reference, hex: string | undefined, decimal: string | undefined) => {
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return code >= 32 || code === 9 || code === 10 || code === 13 ? reference : standIn(code);
    });
}

/** Restores the control characters of parsed text, because the code that removes them needs whole sequences. */
function restored<T>(value: T): T {
  if (typeof value === 'string')
    return value.replace(/[\uf700-\uf71f]/g, (one) => String.fromCharCode(one.charCodeAt(0) - STAND_INS)) as T;
  if (Array.isArray(value)) return value.map(restored) as T;
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, restored(held)])) as T;
}

function isText(element: string): boolean {
  return element === 'system-out' || element === 'system-err' || element === 'stackTrace';
}

/** The encoding in a file's XML declaration, which is ASCII unless a byte order mark says otherwise. */
function declaredEncoding(bytes: Uint8Array): string | undefined {
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, 200));
  const label = /^\s*<\?xml[^>]*?\bencoding\s*=\s*["']([A-Za-z][\w.-]*)["']/.exec(start)?.[1];
  // A file readable up to here is not UTF-16, whatever it declares.
  return label === undefined || /^utf-?16/i.test(label) ? undefined : label;
}

function suiteOf(element: string, attributes: Record<string, SaxesAttributePlain | string>): Suite {
  const number = (name: string) => Number(attributes[name] ?? 0) || 0;
  const file = attributes['file'];
  return {
    // The root is named after the tool or the run.
    name: element === 'testsuites' ? '' : String(attributes['name'] ?? ''),
    ...(typeof file === 'string' ? { file } : {}),
    declared: { tests: number('tests'), bad: number('failures') + number('errors') },
    seen: 0,
    bad: 0,
  };
}

function count(suites: readonly Suite[], { verdict }: FoundTest): void {
  for (const suite of suites) {
    suite.seen += 1;
    if (verdict === 'failed' || verdict === 'error' || verdict === 'unexpected success') suite.bad += 1;
  }
}

/** A failure of a suite and not of its tests, such as one in its set-up. */
function suiteFailure(part: CasePart, suites: Suite[]): FoundTest[] {
  if (part.kind === 'skipped') return [];
  const attributes = { name: `(${suites.at(-1)?.name || 'all tests'})` };
  const test = testOfCase({ attributes, parts: [part], output: '' }, suites);
  count(suites, test);
  return [test];
}

/** If a suite reports failures but none of its tests failed, a test is missing. */
function closeSuite(suites: Suite[], problems: ResultsProblem[]): void {
  const { name, declared, seen, bad } = suites.pop()!;
  const of = `the suite ${JSON.stringify(name.slice(0, 100))}`;
  if (declared.bad > 0 && bad === 0)
    problems.push({
      kind: 'contradiction',
      severity: 'error',
      message: `${of} says that ${declared.bad} tests failed, and none of its ${seen} did`,
    });
  else if (declared.tests > 0 && seen === 0)
    problems.push({
      kind: 'plan',
      severity: 'error',
      message: `${of} says that it has ${declared.tests} tests, and there are none`,
    });
}
