import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { foldEvents } from '../events/fold.ts';
import { readEvents } from '../events/reader.ts';
import type { CellResult, RunResult, TestResult } from '../events/result.ts';
import type { Accelerator, Verdict } from '../events/types.ts';
import { compareParity, type ParityTest } from './parity.ts';

const root = join(import.meta.dirname, '../..');
const run = foldEvents((await readEvents(join(root, 'reports/fixtures/events.jsonl'))).events);

type Tests = Readonly<Record<string, TestResult['verdict'] | readonly [TestResult['verdict'], string]>>;

/** A cell of one suite: each test's verdict, or verdict and what it said. */
function cell(name: string, tests: Tests, change: Partial<CellResult> = {}): CellResult {
  const [arch, target, suite] = name.split('/') as [CellResult['arch'], string, string];
  return {
    ...{ name, arch, target, suite, voting: true, verdict: 'passed', durationMs: 1 },
    ...{ steps: [], benchmarks: [], logs: [], artifacts: [] },
    tests: Object.entries(tests).map(([test, given]): TestResult => {
      const [verdict, said = 'no'] = [given].flat() as [TestResult['verdict'], string?];
      const errors = [{ type: 'Error', message: said }];
      return {
        ...{ step: 'scenarios', file: 'a.scenario.ts', name: test, verdict, durationMs: 1 },
        attempts: verdict === 'failed' || verdict === 'infra' ? [{ verdict, durationMs: 1, errors }] : [],
        ...(verdict === 'skipped' ? { note: said } : {}),
      };
    }),
    ...change,
  };
}

const facts = (accelerator: Accelerator) => ({ facts: { ...run.cells[0]!.facts!, accelerator } });

/** vm against container in one run of these cells. */
function compare(...cells: CellResult[]): readonly ParityTest[] {
  const both: RunResult = { ...run, control: 'amd64', cells };
  return compareParity({ run: both, target: 'vm' }, { run: both, target: 'container' }).tests;
}
const onArm64 = (tests: readonly ParityTest[]) => tests.filter(({ arch }) => arch === 'arm64');

test('a failure on one kind of target is the machine when the control passes there', () => {
  const [found] = onArm64(
    compare(
      cell('amd64/vm/s', { t: 'passed' }),
      cell('arm64/vm/s', { t: 'failed' }, facts('tcg')),
      cell('arm64/container/s', { t: 'passed' }),
    ),
  );
  expect(found).toMatchObject({
    state: 'differ',
    cause: 'machine',
    because: 'the emulated arm64 vm: passes on amd64 there',
  });
});

test('it is the kind of target when the control fails there, too', () => {
  const tests = compare(
    cell('amd64/container/s', { t: 'failed' }),
    cell('amd64/vm/s', { t: 'passed' }),
    cell('arm64/container/s', { t: 'failed' }),
    cell('arm64/vm/s', { t: 'passed' }),
  );
  expect(tests.map(({ state, cause }) => [state, cause])).toEqual([
    ['differ', 'target'],
    ['differ', 'target'],
  ]);
  expect(onArm64(tests)[0]?.because).toBe('the kind of target container, not arm64: fails on amd64 there too');
});

test('without a control leg the cause is unknown', () => {
  const [found] = compare(cell('arm64/vm/s', { t: 'failed' }), cell('arm64/container/s', { t: 'passed' }));
  expect(found).toMatchObject({ state: 'differ', cause: 'unknown', because: 'amd64 has no result on vm' });
});

test.each([
  ['native', 'arm64 itself'],
  ['qemu-user', 'arm64, or what both emulators have in common'],
] as const)('a failure on both that the control does not have: vm and %s', (accelerator, what) => {
  const [found] = onArm64(
    compare(
      cell('amd64/vm/s', { t: 'passed' }),
      cell('amd64/container/s', { t: 'passed' }),
      cell('arm64/vm/s', { t: ['failed', 'port 41523 is closed'] }, facts('tcg')),
      cell('arm64/container/s', { t: ['failed', 'port 80 is closed'] }, facts(accelerator)),
    ),
  );
  expect(found).toMatchObject({ state: 'agree', cause: 'architecture' });
  expect(found?.because).toBe(`fails on both, with the same message, and passes on amd64: ${what}`);
});

test('a failure everywhere is the test itself', () => {
  const everywhere = ['amd64/vm/s', 'amd64/container/s', 'arm64/vm/s'].map((name) => cell(name, { t: 'failed' }));
  const tests = compare(...everywhere, cell('arm64/container/s', { t: ['failed', 'something else'] }));
  expect(onArm64(tests)[0]).toMatchObject({ state: 'agree', cause: 'test' });
  expect(onArm64(tests)[0]?.because).toBe('fails on both, with another message, and on amd64 too');
});

test('a test that one side did not run is not an agreement, and has a reason', () => {
  const tests = compare(
    cell('amd64/vm/s', { power: 'passed', only: 'passed', both: 'skipped' }),
    cell('amd64/container/s', { power: ['skipped', 'it has no power'], both: 'skipped', new: 'failed' }),
    cell('arm64/vm/s', { power: 'passed' }),
    cell('arm64/container/s', {}, { verdict: 'unsupported', reason: 'needs system' }),
    cell('ppc64le/vm/s', { power: 'passed' }),
  );
  expect(tests.map(({ name, state, because }) => [name, state, because])).toEqual([
    ['power', 'only one', 'skipped on container: it has no power'],
    ['only', 'only one', 'not on container'],
    ['both', 'neither', undefined],
    ['new', 'only one', 'not on vm'],
    ['power', 'only one', 'unsupported on container: needs system'],
    ['power', 'only one', 'no cell on container'],
  ]);
});

test('a broken side cannot tell, and a stack that did not come up fails all of its tests', () => {
  const tests = compare(
    cell('amd64/vm/s', { t: 'passed', u: ['infra', 'the connection was lost'], v: 'incomplete' }),
    cell('amd64/container/s', { t: 'passed', u: 'passed', v: 'passed' }),
    cell('arm64/vm/s', { t: 'passed' }),
    cell('arm64/container/s', {}, { verdict: 'failed', reason: 'cannot start redis' }),
    cell('ppc64le/vm/s', { t: 'passed' }),
    cell('ppc64le/container/s', {}, { verdict: 'infra', reason: 'no engine' }),
  );
  expect(tests.map(({ state, because }) => [state, because])).toEqual([
    ['agree', undefined],
    ['cannot tell', 'infra on vm: the connection was lost'],
    ['cannot tell', 'never finished on vm'],
    ['differ', 'the arm64 container: passes on amd64 there'],
    ['cannot tell', 'infra on container: no engine'],
  ]);
});

test('a flaky test agrees with a passed one, with a note', () => {
  const [found] = compare(cell('amd64/vm/s', { t: 'flaky' }), cell('amd64/container/s', { t: 'passed' }));
  expect(found).toMatchObject({ state: 'agree', because: 'flaky on vm' });
});

test('two tests of one name are told apart by their order', () => {
  const twice = (second: Verdict & TestResult['verdict']) => {
    const one = cell('amd64/vm/s', { t: 'passed' });
    return { ...one, tests: [...one.tests, { ...one.tests[0]!, verdict: second }] };
  };
  const tests = compare(twice('passed'), { ...twice('failed'), name: 'amd64/container/s', target: 'container' });
  expect(tests.map(({ state }) => state)).toEqual(['agree', 'differ']);
});

test('runs of different commits are compared with a warning', () => {
  const at = (sha: string): RunResult => ({ ...run, run: sha, git: { sha, dirty: false } });
  const sides = [at('a'), at('b')].map((of) => ({ run: of, target: 'vm' }));
  expect(compareParity(sides[0]!, sides[1]!).warnings).toEqual(['the commits differ: a and b']);
});

const verdicts = ['passed', 'failed', 'flaky', 'skipped', 'infra', 'emulator', 'incomplete'] as const;
const anyCells = fc
  .uniqueArray(fc.constantFrom('amd64', 'arm64', 'ppc64le'), { minLength: 1 })
  .chain((archs) =>
    fc.tuple(
      ...archs.flatMap((arch) =>
        ['vm', 'container'].map((target) =>
          fc
            .dictionary(fc.constantFrom('t', 'u', 'v'), fc.constantFrom(...verdicts))
            .map((tests) => cell(`${arch}/${target}/s`, tests)),
        ),
      ),
    ),
  );

test('every test of either side is in it once; the sides can be exchanged; nothing differs from itself', () => {
  fc.assert(
    fc.property(anyCells, (cells) => {
      const both: RunResult = { ...run, control: 'amd64', cells };
      const [vm, container] = ['vm', 'container'].map((target) => ({ run: both, target })) as [
        { run: RunResult; target: string },
        { run: RunResult; target: string },
      ];
      const { tests, counts } = compareParity(vm, container);
      const names = new Set(cells.flatMap((one) => one.tests.map((test) => `${one.arch} ${test.name}`)));
      expect(tests.map(({ arch, name }) => `${arch} ${name}`).sort()).toEqual([...names].sort());
      expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(tests.length);
      const turned = compareParity(container, vm);
      expect(turned.counts).toEqual(counts);
      const causes = (list: readonly ParityTest[]) => list.map((one) => `${one.arch} ${one.name} ${one.cause}`).sort();
      expect(causes(turned.tests)).toEqual(causes(tests));
      expect(compareParity(vm, vm).counts).toMatchObject({ differ: 0, 'only one': 0 });
    }),
  );
});

test('a file that could not be read on one side differs from its tests, and from itself, on the other', () => {
  const tests = compare(
    cell('amd64/vm/s', { '(the file itself)': ['failed', 'Unexpected token'] }),
    cell('amd64/container/s', { t: 'passed' }),
  );
  expect(tests.map(({ name, state, a, b }) => [name, state, a.message, b.state])).toEqual([
    ['(the file itself)', 'differ', 'Unexpected token', 'passed'],
    ['t', 'differ', 'Unexpected token', 'passed'],
  ]);
});
