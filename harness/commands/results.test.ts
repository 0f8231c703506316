import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { thisHost } from '../testing/this-host.ts';
import { fileResults, removeStale } from './results.ts';

const MS = 60_000;
const LAUGHS = `<!DOCTYPE x [<!ENTITY a "ha">${Array.from({ length: 20 }, (_, index) => `<!ENTITY ${String.fromCharCode(98 + index)} "&${String.fromCharCode(97 + index)};&${String.fromCharCode(97 + index)};">`).join('')}]><testsuite><testcase name="&u;"/></testsuite>`;
const good = '<testsuite name="s"><testcase name="t"/></testsuite>';

/** Bad results that a guest may leave, and the message for each. */
const cases: Record<string, { content: string | Buffer; says: string }> = {
  empty: { content: '', says: 'r.xml: it is empty' },
  'cut off': { content: good.slice(0, -5), says: 'r.xml: it ends too early' },
  'without a test': { content: '<testsuite name="s"/>', says: 'r.xml: it has no tests' },
  'a billion laughs': { content: LAUGHS, says: 'r.xml: it declares entities, which are not read' },
  'an external entity': {
    content: '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><testsuite><testcase name="&e;"/></testsuite>',
    says: 'r.xml: it declares entities, which are not read',
  },
  'deeply nested': { content: '<testsuite>'.repeat(10_000), says: 'r.xml: its elements are nested more than 64 deep' },
  'no XML': { content: Buffer.from([0xff, 0xfe, 0x00, 0xd8, 0x80]), says: 'r.xml: ' },
};

test.each(Object.entries(cases))('a file that is %s is never good', async (_, { content, says }) => {
  await using host = await thisHost();
  await writeFile(join(host.folder, 'source/r.xml'), content);
  const read = await fileResults(host.target, host.workspace, { junit: 'r.xml' }, MS);
  const errors = read!.problems.filter(({ severity }) => severity === 'error');
  expect(errors.map(({ message }) => message).join('\n')).toContain(says);
});

test('a file that is not there, too large, or one of several', async () => {
  await using host = await thisHost({ 'source/out/a.xml': good, 'source/out/b.xml': '<testsuite>' });
  const read = async (junit: string) => (await fileResults(host.target, host.workspace, { junit }, MS))!;
  expect(await read('no/*.xml')).toEqual({
    tests: [],
    problems: [{ kind: 'missing', severity: 'error', message: 'no/*.xml is not there' }],
  });
  await writeFile(join(host.folder, 'source/large.xml'), '');
  await truncate(join(host.folder, 'source/large.xml'), 100 * 2 ** 20);
  expect((await read('large.xml')).problems).toMatchObject([
    { severity: 'error', message: 'large.xml: it has 100 MiB, and at most 64 MiB are read' },
  ]);
  const several = await read('out/*.xml');
  expect(several.tests.map(({ id }) => id)).toEqual(['s › t']);
  expect(several.problems.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^out\/b\.xml: it ends too early/),
  ]);
});

test('bytes that are not UTF-8 lose no test', async () => {
  await using host = await thisHost();
  await writeFile(join(host.folder, 'source/r.xml'), Buffer.from(good.replace('"t"', '"\xe9"'), 'latin1'));
  const read = await fileResults(host.target, host.workspace, { junit: 'r.xml' }, MS);
  expect(read).toMatchObject({
    tests: [{ name: '\ufffd' }],
    problems: [{ severity: 'warning', message: 'r.xml: some of its bytes are not UTF-8' }],
  });
});

test('results of an earlier run are removed, and nothing else', async () => {
  await using host = await thisHost({ 'source/out/a.xml': good, 'source/keep.xml': good });
  await removeStale(host.target, host.workspace, { junit: 'out/*.xml' }, MS);
  const read = async (junit: string) => (await fileResults(host.target, host.workspace, { junit }, MS))!.tests.length;
  expect([await read('out/*.xml'), await read('keep.xml')]).toEqual([0, 1]);
});

test('tests of several files are distinguished, and the summary of Automake is ignored', async () => {
  await using host = await thisHost({
    'source/t/a.log': '1..2\nok 1 - works\nok 2 - works\n',
    'source/t/b.log': '1..1\nnot ok 1 - works\n',
    'source/t/test-suite.log': '=====\n   sum 1.0: ./test-suite.log\n=====\n',
    'source/r/a.xml': good,
    'source/r/b.xml': good,
  });
  const read = async (spec: Parameters<typeof fileResults>[2]) =>
    (await fileResults(host.target, host.workspace, spec, MS))!;
  const { tests, problems } = await read({ tap: 't/*.log' });
  expect(problems).toEqual([]);
  expect(tests.map(({ id, verdict }) => [id, verdict])).toEqual([
    ['t/a › works', 'passed'],
    ['t/a › works (2)', 'passed'],
    ['t/b › works', 'failed'],
  ]);
  expect((await read({ tap: 't/b.log' })).tests.map(({ id }) => id)).toEqual(['works']);
  expect((await read({ tap: 't/test-suite.log' })).problems).toMatchObject([
    { message: 't/test-suite.log: it has no tests' },
  ]);
  expect((await read({ junit: 'r/*.xml' })).tests.map(({ id }) => id)).toEqual(['s › t', 's › t (2)']);
});
