import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS, type ForeignResults, RESULTS_FORMATS, type ResultsFormatName, readResults } from './index.ts';

const folder = join(import.meta.dirname, 'fixtures');
const formats = Object.keys(RESULTS_FORMATS) as ResultsFormatName[];
const formatOf = (name: string): ResultsFormatName | undefined =>
  name.endsWith('.xml')
    ? 'junit'
    : name.endsWith('.tap')
      ? 'tap'
      : name.endsWith('.log')
        ? 'ktap'
        : name.endsWith('.subunit')
          ? 'subunit'
          : name.endsWith('.jsonl')
            ? 'go-json'
            : undefined;
const fixtures = await Promise.all(
  (await readdir(folder)).flatMap((name) => {
    const format = formatOf(name);
    return format ? [readFile(join(folder, name)).then((bytes) => ({ name, format, bytes }))] : [];
  }),
);
const bytes = (text: string, encoding: BufferEncoding = 'utf8') => Buffer.from(text, encoding);
const kinds = ({ problems }: ForeignResults) => problems.map(({ kind }) => kind);
/** Whether results report success and are complete. */
const green = ({ tests, problems }: ForeignResults) =>
  problems.every(({ severity }) => severity === 'warning') &&
  tests.some(({ verdict }) => verdict !== 'skipped') &&
  !tests.some(({ verdict }) => verdict === 'failed' || verdict === 'error');
const junitOf = (inside: string) => `<testsuite name="s">${inside}</testsuite>`;
const passing = '<testcase name="t" classname="c"/>';

test.each(formats)('%s: nothing, blanks and prose are never green', (format) => {
  for (const text of ['', ' \n\n', 'make: *** [check] Error 2\n', '\0\0\0']) {
    const results = readResults(format, bytes(text));
    expect(results.tests).toEqual([]);
    expect(results.problems).toContainEqual(expect.objectContaining({ severity: 'error' }));
  }
});

describe('a file that is cut off', () => {
  test.each(fixtures)('$name is never green, and never worse than an error', ({ format, bytes: whole, name }) => {
    const all = readResults(format, whole);
    for (let share = 0; share < 1; share += 0.02) {
      const length = Math.floor(share * whole.length);
      const results = readResults(format, whole.subarray(0, length));
      expect(results.tests.length, `${length} bytes of ${name}`).toBeLessThanOrEqual(all.tests.length + 1);
      // A line of TAP that is cut off behind its number is still a result.
      const isWhole = format === 'tap' && results.tests.length === all.tests.length;
      expect(green(results) && !isWhole, `${length} bytes of ${name}`).toBe(false);
    }
  });

  test('is not green even if all its tests passed', () => {
    const xml = junitOf(passing.repeat(20));
    const tap = `1..20\n${Array.from({ length: 20 }, (_, index) => `ok ${index + 1} - t\n`).join('')}`;
    expect(green(readResults('junit', bytes(xml)))).toBe(true);
    expect(green(readResults('tap', bytes(tap)))).toBe(true);
    for (let length = 0; length < xml.length; length++)
      expect(green(readResults('junit', bytes(xml.slice(0, length)))), xml.slice(0, length)).toBe(false);
    for (let length = 0; length <= tap.lastIndexOf('ok') + 'ok'.length - 1; length++)
      expect(green(readResults('tap', bytes(tap.slice(0, length))))).toBe(false);
    const cut = readResults('junit', bytes(xml.slice(0, -30)));
    expect(kinds(cut)).toEqual(['truncated']);
    expect(cut.tests.length).toBeGreaterThan(15);
  });

  test('keeps the tests before', () => {
    const stream = fixtures.find(({ name }) => name === 'stestr.subunit')!.bytes;
    const results = readResults('subunit', stream.subarray(0, stream.length - 10));
    expect(kinds(results)).toEqual(['truncated']);
    expect(results.tests).toHaveLength(7);
    expect(results.tests.at(-1)).toMatchObject({ verdict: 'error', message: 'it never ended' });
  });
});

test('a truncated stream of go test names the package that never ended', () => {
  const events = ['run', 'pass'].map((action) => `{"Action":"${action}","Package":"p","Test":"T"}\n`).join('');
  const end = '{"Action":"pass","Package":"p"}\n';
  expect(green(readResults('go-json', bytes(events + end)))).toBe(true);
  const cut = readResults('go-json', bytes(events));
  expect(cut.tests.map(({ id, message }) => [id, message])).toEqual([
    ['p › T', undefined],
    ['p › (package)', 'the package never ended'],
  ]);
});

test('a broken packet is skipped, and the file is incomplete', () => {
  const stream = Buffer.from(fixtures.find(({ name }) => name === 'stestr.subunit')!.bytes);
  stream[100]! ^= 0xff;
  const results = readResults('subunit', stream);
  expect(kinds(results)).toContain('truncated');
  expect(results.tests).toHaveLength(7);
  const around = readResults(
    'subunit',
    Buffer.concat([bytes('a line\n'), fixtures.find(({ name }) => name === 'stestr.subunit')!.bytes]),
  );
  expect(around.problems).toEqual([
    { kind: 'garbage', severity: 'warning', message: '7 of its bytes are in no packet' },
  ]);
  expect(around.tests).toHaveLength(7);
});

describe('TAP that contradicts itself', () => {
  test.each<[string, string, string[], number]>([
    ['fewer than planned', '1..5\nok 1\nok 2\nok 3\nok 4\n', ['plan'], 4],
    ['more than planned', '1..1\nok 1\nok 2\n', ['plan'], 2],
    ['a number twice', '1..2\nok 1\nok 1\n', ['plan'], 2],
    ['a number that is not planned', '1..2\nok 1\nok 3\n', ['plan'], 2],
    ['two plans', '1..1\nok 1\n1..1\n', ['plan'], 1],
    ['no plan', 'ok 1\nok 2\n', ['truncated'], 2],
    ['it bails out', '1..3\nok 1\nBail out! no disk\n', ['bail out'], 1],
    ['a subtest without its result', '1..1\n# Subtest: a\n    ok 1 - in\n    1..1\n', ['truncated', 'plan'], 1],
    ['a subtest with too few', '1..1\n    1..2\n    ok 1 - in\nok 1 - a\n', ['plan'], 1],
    ['YAML without an end', '1..1\nnot ok 1 - a\n  ---\n  message: "m"\n', ['truncated'], 1],
    ['nothing planned, without a reason', '1..0\n', [], 1],
  ])('%s', (_, text, expected, tests) => {
    const results = readResults('tap', bytes(text));
    expect(kinds(results)).toEqual(expected);
    expect(results.tests).toHaveLength(tests);
    expect(green(results)).toBe(false);
  });

  test('a subtest that fails without a failed test becomes a test, and one in braces is read', () => {
    const alone = readResults('tap', bytes('1..1\n    ok 1 - in\n    1..1\nnot ok 1 - a\n'));
    expect(alone.tests.map(({ id, verdict }) => [id, verdict])).toEqual([
      ['a › in', 'passed'],
      ['a', 'failed'],
    ]);
    const braces = readResults(
      'tap',
      bytes('TAP version 14\n1..2\nok 1 - a {\n    1..1\n    ok 1 - in\n}\nok 2 - b \\# SKIP\n'),
    );
    expect(braces.problems).toEqual([]);
    expect(braces.tests.map(({ id, verdict }) => [id, verdict])).toEqual([
      ['a › in', 'passed'],
      ['b # SKIP', 'passed'],
    ]);
  });
});

test('several programs, or modules of a kernel, may write one after the other: each has its plan', () => {
  const one = (version: string, plan: number) => `${version}\n1..${plan}\nok 1 - a\nok 2 - b\n`;
  for (const [format, version] of [
    ['tap', 'TAP version 13'],
    ['ktap', 'KTAP version 1'],
  ] as const) {
    const read = (...plans: number[]) => readResults(format, bytes(plans.map((plan) => one(version, plan)).join('')));
    expect(green(read(2, 2))).toBe(true);
    expect(read(2, 2).tests.map(({ id }) => id)).toEqual(['a', 'b', 'a (2)', 'b (2)']);
    expect(kinds(read(3, 2))).toEqual(['plan']);
    expect(kinds(read(2, 3))).toEqual(['plan']);
  }
});

test('a name has no parts that change from run to run', () => {
  const name = (format: ResultsFormatName, line: string) => {
    const [found] = readResults(format, bytes(`KTAP version 1\n1..1\n${line}\n`)).tests;
    return [found!.name, found!.durationMs, found!.message];
  };
  expect(name('tap', 'ok 1 - works # time=10.5ms')).toEqual(['works', 10.5, undefined]);
  expect(name('tap', 'not ok 1 - works # time=2s')).toEqual(['works', 2000, undefined]);
  expect(name('ktap', 'not ok 1 selftests: size: get_size # exit=7')).toEqual([
    'selftests: size: get_size',
    undefined,
    'exit code 7',
  ]);
  expect(name('ktap', 'not ok 1 selftests: size: get_size # TIMEOUT 45 seconds')).toEqual([
    'selftests: size: get_size',
    undefined,
    '45 seconds',
  ]);
});

test('KTAP: its own directives, and a log without it', () => {
  const log =
    'KTAP version 1\n1..4\nok 1 a # XFAIL known\nnot ok 2 b # XFAIL known\nnot ok 3 c # TIMEOUT 45 seconds\nok 4 d\n';
  expect(readResults('ktap', bytes(log)).tests.map(({ verdict }) => verdict)).toEqual([
    'expected failure',
    'expected failure',
    'error',
    'passed',
  ]);
  expect(green(readResults('ktap', bytes('[    1.0] ok 1 not a test\n')))).toBe(false);
});

describe('XML', () => {
  test.each<[string, string, string]>([
    [
      'entities',
      `<!DOCTYPE t [<!ENTITY a "aaa"><!ENTITY b "&a;&a;">]>${junitOf('<testcase name="&b;"/>')}`,
      'malformed',
    ],
    [
      'a file from elsewhere',
      `<!DOCTYPE t [<!ENTITY a SYSTEM "file:///etc/passwd">]>${junitOf('<testcase name="&a;"/>')}`,
      'malformed',
    ],
    ['an entity that nobody knows', junitOf('<testcase name="&a;"/>'), 'malformed'],
    ['tags in the wrong order', '<testsuite><testcase name="t"></testsuite></testcase>', 'malformed'],
    ['more behind its end', `${junitOf(passing)}${junitOf(passing)}`, 'malformed'],
    ['text behind its end', `${junitOf(passing)}make: Error 1`, 'malformed'],
    [
      'failures that are not there',
      `<testsuite name="s" tests="1" failures="1">${passing}</testsuite>`,
      'contradiction',
    ],
    ['tests that are not there', '<testsuite name="s" tests="3"/>', 'plan'],
    ['depth', '<a>'.repeat(200), 'too large'],
  ])('%s', (_, text, kind) => {
    const results = readResults('junit', bytes(text));
    expect(kinds(results)).toContain(kind);
    expect(green(results)).toBe(false);
    expect(JSON.stringify(results)).not.toContain('root:');
  });

  test('a failure of a suite is a test', () => {
    const results = readResults('junit', bytes(junitOf(`${passing}<error message="no database"/>`)));
    expect(results.tests[1]).toMatchObject({ name: '(s)', verdict: 'error', message: 'no database' });
  });

  test('encodings: marks, declarations, and invalid bytes', () => {
    const xml = (encoding: string) => `<?xml version="1.0" encoding="${encoding}"?>${junitOf('<testcase name="é"/>')}`;
    const name = (content: Uint8Array) => readResults('junit', content).tests[0]?.name;
    expect(name(bytes(xml('UTF-8')))).toBe('é');
    expect(name(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes(xml('UTF-8'))]))).toBe('é');
    expect(name(bytes(xml('ISO-8859-1'), 'latin1'))).toBe('é');
    const wide = bytes(`\ufeff${xml('UTF-16')}`, 'utf16le');
    expect(name(wide)).toBe('é');
    expect(name(Buffer.from(wide).swap16())).toBe('é');
    expect(name(wide.subarray(2))).toBe('é');
    const wrong = readResults('junit', bytes(xml('UTF-8'), 'latin1'));
    expect(wrong.tests[0]!.name).toBe('\ufffd');
    expect(wrong.problems).toMatchObject([{ kind: 'encoding', severity: 'warning' }]);
    expect(kinds(readResults('junit', bytes(xml('x-nobody'))))).toEqual(['encoding']);
  });

  test('forbidden XML characters lose no results, and reach no report', () => {
    const results = readResults(
      'junit',
      bytes(junitOf('<testcase name="a\u0000b&#27;[31m"><system-out>\u001b[31mred\u0007</system-out></testcase>')),
    );
    expect(results.tests).toMatchObject([{ output: 'red\ufffd' }]);
    expect(results.problems).toMatchObject([{ kind: 'encoding', severity: 'warning' }]);
  });
});

test('limits: bytes, tests, texts', () => {
  const limits = { ...DEFAULT_LIMITS, bytes: 5000, tests: 10, line: 20, text: 100 };
  const many = readResults('junit', bytes(junitOf(passing.repeat(50))), limits);
  expect(many.tests).toHaveLength(10);
  expect(kinds(many)).toEqual(['too large']);
  const suites = readResults(
    'junit',
    bytes(`<testsuite><testcase name="t"/>${'<error/>'.repeat(50)}</testsuite>`),
    limits,
  );
  expect(suites.tests).toHaveLength(10);
  expect(kinds(suites)).toEqual(['too large']);
  const packages = Array.from({ length: 15 }, (_, index) => `{"Action":"start","Package":"p${index}"}\n`).join('');
  expect(readResults('go-json', bytes(packages), { ...limits, bytes: 10_000 }).tests).toHaveLength(10);
  const large = readResults('tap', bytes(`1..1\nok 1\n${'#\n'.repeat(5000)}`), limits);
  expect(kinds(large)).toEqual(['too large']);
  expect(large.tests).toHaveLength(1);
  const long = readResults(
    'junit',
    bytes(junitOf(`<testcase name="${'n'.repeat(50)}"><system-out>${'o'.repeat(500)}</system-out></testcase>`)),
    limits,
  );
  expect(long.tests[0]).toMatchObject({
    name: `${'n'.repeat(20)}… (30 more characters)`,
    output: `${'o'.repeat(100)}… (400 more characters)`,
  });
});

test('the name of a suite is not multiplied by its tests', () => {
  const limits = { ...DEFAULT_LIMITS, total: 100_000 };
  const name = 'n'.repeat(4000);
  const xml = `${`<testsuite name="${name}">`.repeat(10)}${passing.repeat(20)}${'</testsuite>'.repeat(10)}`;
  const inner = Array.from({ length: 40 }, (_, index) => `    ok ${index + 1}\n`).join('');
  const tap = `1..1\n# Subtest: ${name}\n    1..40\n${inner}ok 1 - ${name}\n`;
  for (const [format, text, kept] of [
    ['junit', xml, 2],
    ['tap', tap, 24],
  ] as const) {
    const read = readResults(format, bytes(text), limits);
    expect(kinds(read)).toEqual(['too large']);
    expect(read.tests).toHaveLength(kept);
    // A name is a line of a report, and two of them are two.
    for (const { id } of read.tests) expect(id.length).toBeLessThan(DEFAULT_LIMITS.line + 50);
    expect(new Set(read.tests.map(({ id }) => id)).size).toBe(kept);
  }
});

test('repeated names have unique identifiers', () => {
  expect(readResults('junit', bytes(junitOf(passing.repeat(3)))).tests.map(({ id }) => id)).toEqual([
    's › c › t',
    's › c › t (2)',
    's › c › t (3)',
  ]);
});

describe('for any bytes, reading terminates without throwing', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;
  const check = (format: ResultsFormatName, content: Uint8Array) => {
    const results = readResults(format, content);
    const text = JSON.stringify(results);
    expect(text.isWellFormed()).toBe(true);
    for (const { id, name, message = '', output = '', details = '' } of results.tests)
      for (const each of [id, name, message, output, details]) expect(control.test(each)).toBe(false);
    expect(new Set(results.tests.map(({ id }) => id)).size).toBe(results.tests.length);
    if (results.tests.length === 0) expect(green(results)).toBe(false);
  };

  test.each(formats)('%s: noise', (format) => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), (content) => check(format, content)));
  });

  const words: Readonly<Record<ResultsFormatName, string[]>> = {
    junit: [
      '<testsuites>',
      '</testsuites>',
      '<testsuite name="s" tests="2" failures="1">',
      '</testsuite>',
      '<testcase name="t">',
      '<testcase name="u" time="x"/>',
      '</testcase>',
      '<failure message="m">',
      '</failure>',
      '<skipped/>',
      '<flakyFailure>',
      '</flakyFailure>',
      '<stackTrace>',
      '</stackTrace>',
      '<system-out>',
      '</system-out>',
      '<![CDATA[',
      ']]>',
      '&amp;',
      '&x;',
      '<!--',
      '-->',
      '<?xml version="1.0"?>',
      'text',
      '<!DOCTYPE a>',
      '\0',
      '\ud800',
    ],
    tap: [
      'TAP version 14\n',
      '1..3\n',
      '1..0 # SKIP x\n',
      'ok 1 - a\n',
      'not ok 2 b # TODO c\n',
      'ok\n',
      '    ',
      '  ',
      '# Subtest: s\n',
      'ok 3 - d {\n',
      '}\n',
      '---\n',
      '...\n',
      'message: m\n',
      'Bail out!\n',
      '\n',
      '# c\n',
      'x',
    ],
    ktap: [
      'KTAP version 1\n',
      '[    1.0] ',
      '1..2\n',
      'ok 1 a\n',
      'not ok 2 b # TIMEOUT\n',
      '  ',
      '    ',
      '# Subtest: s\n',
      '# c\n',
      'x\n',
    ],
    subunit: ['\xb3', '\x2b', '\x02', '\x29', '\x40', '\x00', '\x83', 'id', '\xff', 'x'],
    'go-json': [
      '{"Action":"run","Package":"p","Test":"T"}\n',
      '{"Action":"pass","Package":"p","Test":"T"}\n',
      '{"Action":"fail","Package":"p"}\n',
      '{"Action":"output","Package":"p","Test":"T/a","Output":"--- FAIL: T (0.00s)\\n"}\n',
      '{"Action":1}\n',
      '[]\n',
      'null\n',
      '{',
      '{}\n',
      'FAIL\tp [build failed]\n',
      'x\n',
    ],
  };
  test.each(formats)('%s: its own words in any order', (format) => {
    const encoding = format === 'subunit' ? 'latin1' : 'utf8';
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words[format]), { maxLength: 60 }), (parts) =>
        check(format, bytes(parts.join(''), encoding)),
      ),
      { numRuns: 500 },
    );
  });

  test.each(fixtures)('$name with some bytes changed', ({ format, bytes: whole }) => {
    const change = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(change, (changes) => {
        const content = Buffer.from(whole);
        for (const [at, value] of changes) content[at] = value;
        check(format, content);
      }),
      { numRuns: 30 },
    );
  });

  test('in a time that grows with the length', () => {
    const hostile: [ResultsFormatName, Uint8Array][] = [
      ['junit', bytes(junitOf(passing.repeat(30_000)))],
      ['junit', bytes(`<testsuite>${'<a '.repeat(300_000)}`)],
      ['junit', bytes(`<testsuite>${'\u0001'.repeat(3_000_000)}`)],
      ['junit', bytes(`<testsuite>${'&#27;'.repeat(300_000)}`)],
      ['junit', bytes(`<testsuite>${'&#xd800;'.repeat(300_000)}`)],
      ['junit', bytes(`<testsuite>${'&x;'.repeat(300_000)}`)],
      [
        'junit',
        bytes(junitOf(`<testcase name="t"><system-out>${'x<![CDATA[y]]>'.repeat(60_000)}</system-out></testcase>`)),
      ],
      ['tap', bytes(`1..1\n${'    ok 1 - a\n'.repeat(60_000)}`)],
      ['tap', bytes(`ok 1 ${'# '.repeat(400_000)}\n`)],
      ['tap', bytes(`1..1\nnot ok 1\n${'# diagnostics\n'.repeat(60_000)}`)],
      [
        'tap',
        bytes(
          Array.from({ length: 2000 }, (_, index) => `${' '.repeat(4 * index)}ok 1 - a\n`)
            .join('')
            .slice(0, 4_000_000),
        ),
      ],
      ['ktap', bytes(`KTAP version 1\n${'# x\n'.repeat(200_000)}`)],
      ['subunit', new Uint8Array(1_000_000).fill(0xb3)],
      ['subunit', bytes('\xb3\x2b\x02\xbf\xff\xff'.repeat(200_000), 'latin1')],
      ['go-json', bytes('{"Action":"output","Package":"p","Test":"T","Output":"    a.go:1: x\\n"}\n'.repeat(30_000))],
      ['go-json', bytes('{'.repeat(1_000_000))],
    ];
    for (const [format, content] of hostile) {
      const started = process.cpuUsage();
      readResults(format, content);
      const { user } = process.cpuUsage(started);
      expect(user / 1e6, `${format}, ${content.length} bytes`).toBeLessThan(5);
    }
  });
});
