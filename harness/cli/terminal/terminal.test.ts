import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import type { CellResult, RunResult } from '../../events/result.ts';
import type { HarnessEvent, RunStarted } from '../../events/types.ts';
import { createTerminal, type TerminalOptions } from './terminal.ts';

const NOON = new Date(2026, 0, 2, 12, 34, 56).getTime();
const cells = ['amd64/vm/web', 'arm64/vm/web', 'ppc64le/vm/web'] as const;
const host = { arch: 'x64', cpu: 'c', cores: 2, memoryBytes: 1, kernel: 'k', node: '24' };
const planned = cells.map((name) => ({
  name,
  arch: name.split('/')[0] as 'amd64',
  target: 'vm',
  suite: 'web',
  voting: true,
}));
const started: RunStarted = {
  type: 'run.started',
  run: 'r1',
  harness: '0.1.0',
  matrix: { name: 'quickstart' },
  control: 'amd64',
  host,
  cells: planned,
  jobs: 2,
  jobsReason: '2 cores',
  argv: [],
};
const [AMD64, ARM64, PPC64LE] = cells;

/** A terminal on a stream that collects, with a clock that is set by hand. */
function open(
  options: {
    isTty?: boolean;
    columns?: number;
    rows?: number;
    env?: Record<string, string>;
    more?: Partial<TerminalOptions>;
  } = {},
) {
  const written: string[] = [];
  const time = { ms: NOON };
  const stream = {
    columns: options.columns,
    rows: options.rows ?? 24,
    isTTY: options.isTty ?? false,
    write: (text: string) => written.push(text),
    on: () => stream,
    once: () => stream,
    off: () => stream,
  };
  const terminal = createTerminal({
    stream,
    env: options.env ?? {},
    now: () => time.ms,
    isTty: options.isTty ?? false,
    reports: '.harness/runs/r1/index.html',
    ...options.more,
  });
  return { terminal, written, time, text: () => written.join('') };
}

/** What is live is drawn ten times a second. */
const frames = () => new Promise((resolve) => setTimeout(resolve, 350));

test('plain: one timestamped line an event', () => {
  const { terminal, time, text } = open();
  const events: HarnessEvent[] = [
    started,
    { type: 'step.started', cell: ARM64, step: 'acquire' },
    { type: 'cell.scale', cell: ARM64, factor: 8.25, source: 'measured' },
    { type: 'step.finished', cell: ARM64, step: 'acquire', verdict: 'passed', durationMs: 17_100 },
    {
      type: 'step.finished',
      cell: ARM64,
      step: 'deploy',
      verdict: 'failed',
      durationMs: 900,
      error: { type: 'StackError', message: 'cannot deploy web: \u001b[31mno\u001b[0m\nmore' },
    },
    { type: 'log', level: 'warn', message: 'no KVM' },
    { type: 'cell.finished', cell: ARM64, verdict: 'failed', durationMs: 18_000, reason: 'deploy failed' },
  ];
  for (const event of events) {
    terminal.event(event);
    time.ms += 1000;
  }
  expect(text()).toBe(
    [
      '[12:34:56] run r1: 3 cells, 2 at once (2 cores)',
      '[12:34:57] arm64/vm/web  acquire  started',
      '[12:34:58] arm64/vm/web  deadlines × 8.3 (measured)',
      '[12:34:59] arm64/vm/web  acquire  passed after 17.1 s',
      '[12:35:00] arm64/vm/web  deploy  failed after 900 ms  cannot deploy web: no',
      '[12:35:01] warning:  no KVM',
      '[12:35:02] arm64/vm/web  failed after 18.0 s  deploy failed',
      '[12:35:02] 1 of 3 cells',
      '',
    ].join('\n'),
  );
});

test('plain: progress is printed when a cell has been quiet for 10 s, without its control characters', () => {
  const { terminal, time, text } = open();
  terminal.event({ type: 'step.started', cell: ARM64, step: 'acquire' });
  terminal.progress(ARM64, 'too soon');
  time.ms += 10_000;
  terminal.progress(ARM64, '\u001b]0;title\u0007\u001b[2J[    1.0] booting\r\n');
  terminal.progress(ARM64, 'too soon again');
  terminal.progress(PPC64LE, '  ');
  expect(text()).toBe(
    '[12:34:56] arm64/vm/web  acquire  started\n[12:35:06] arm64/vm/web  acquire  [    1.0] booting\n',
  );
});

test('plain: progress that has not changed is printed once a minute, and never waits twice', () => {
  const { terminal, time, text } = open();
  for (let second = 0; second <= 70; second += 5) {
    time.ms = NOON + second * 1000;
    terminal.progress(ARM64, 'waiting until images are built: amd64/vm/web');
  }
  terminal.progress(ARM64, 'package lists');
  time.ms += 10_000;
  terminal.progress(ARM64, 'package lists');
  expect(text()).toBe(
    [
      '[12:34:56] arm64/vm/web  waiting  until images are built: amd64/vm/web',
      '[12:35:56] arm64/vm/web  waiting  until images are built: amd64/vm/web',
      '[12:36:06] arm64/vm/web  waiting  package lists',
      '',
    ].join('\n'),
  );
});

test('plain: the result of the control leg is not attributed to the last step', () => {
  const { terminal, time, text } = open();
  terminal.event({ type: 'step.started', cell: ARM64, step: 'release' });
  const tests = [{ file: 'a.scenario.ts', name: 'works' }];
  terminal.event({ type: 'control.started', cell: ARM64, place: 'here', on: ARM64, tests });
  time.ms += 10_000;
  terminal.progress(ARM64, 'booting');
  expect(text()).toMatch(/arm64\/vm\/web {2}control {2}booting\n$/);
});

test('a terminal gets one line per cell, with step, time and latest progress', async () => {
  const { terminal, time, text } = open({ isTty: true, columns: 100, env: { NO_COLOR: '1' } });
  terminal.event(started);
  terminal.event({ type: 'step.started', cell: ARM64, step: 'deploy' });
  time.ms += 42_000;
  terminal.progress(ARM64, 'first\r\u001b[1;31mSetting up redis\u001b[0m\u0007');
  terminal.event({ type: 'cell.finished', cell: AMD64, verdict: 'passed', durationMs: 45_200 });
  await frames();
  // The clock moves with events; the title is refreshed by the next one.
  terminal.event({ type: 'test.started', cell: ARM64, file: 'a', name: 'redis stays' });
  await frames();
  terminal.event({ type: 'cell.finished', cell: ARM64, verdict: 'infra', durationMs: 50_000, reason: 'kernel panic' });
  await terminal.stop();
  const shown = stripVTControlCharacters(text());
  expect(shown).toContain('✔ amd64/vm/web    passed      45.2 s');
  expect(shown).toContain('arm64/vm/web    deploy      0:42      redis stays');
  expect(shown).toContain('✖ arm64/vm/web    infra       50.0 s    kernel panic');
  expect(shown).toContain('ppc64le/vm/web  waiting');
  expect(text()).not.toContain('\u0007');
});

test.each([100, 20, 5, 1])('no line is wider than a terminal of %i columns', async (columns) => {
  const { terminal, written } = open({ isTty: true, columns });
  terminal.event(started);
  terminal.event({ type: 'step.started', cell: ARM64, step: 'deploy' });
  terminal.progress(ARM64, '漢字'.repeat(100));
  await frames();
  terminal.event({ type: 'cell.finished', cell: ARM64, verdict: 'failed', durationMs: 1, reason: 'x'.repeat(500) });
  await terminal.stop();
  for (const line of stripVTControlCharacters(written.join('')).split(/[\r\n]+/)) {
    const wide = [...line].filter((character) => character === '漢' || character === '字').length;
    expect(line.length + wide).toBeLessThanOrEqual(columns);
  }
});

test('colour on a terminal, none with NO_COLOR or in a pipe', async () => {
  for (const [options, coloured] of [
    [{ isTty: true, columns: 80 }, true],
    [{ isTty: true, columns: 80, env: { NO_COLOR: '1' } }, false],
    [{ isTty: false }, false],
  ] as const) {
    const { terminal, text } = open(options);
    terminal.event(started);
    terminal.event({ type: 'cell.finished', cell: AMD64, verdict: 'failed', durationMs: 1 });
    await terminal.done(result([]));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control sequences
    expect(/\u001b\[(?:3[1-7]|9[0-7]|1|2)m/.test(text()), JSON.stringify(options)).toBe(coloured);
  }
});

test('stop without a run, twice, and a done after it', async () => {
  for (const isTty of [true, false]) {
    const { terminal, text } = open({ isTty, columns: 80 });
    await terminal.stop();
    terminal.event(started);
    await terminal.stop();
    await terminal.stop();
    await terminal.done(result([]));
    expect(text()).toContain('no step ran');
  }
});

function result(withCells: readonly CellResult[]): RunResult {
  return {
    run: 'r1',
    harness: '0.1.0',
    matrix: { name: 'quickstart', file: 'matrices/quickstart.yaml' },
    control: 'amd64',
    host,
    jobs: 2,
    jobsReason: '2 cores',
    startedAt: '2026-01-02T12:34:56.000Z',
    durationMs: 192_000,
    state: withCells.length === 0 ? 'incomplete' : 'failed',
    exitCode: withCells.length === 0 ? 4 : 1,
    cells: withCells,
    counts: { planned: 5, passed: 3, failed: 1, flaky: 0, skipped: 0, infra: 0, neverRan: 1 },
  };
}

test('the summary: cells, failures with the control’s answer, counts, time, reports, what to run again', async () => {
  const nothing = { startedAt: '', phases: [], benchmarks: [], logs: [], artifacts: [] };
  const step = { ...nothing, verdict: 'passed' } as const;
  const { terminal, text } = open();
  await terminal.done(
    result([
      {
        ...planned[0]!,
        ...nothing,
        verdict: 'passed',
        durationMs: 45_200,
        steps: [
          { ...step, step: 'acquire', durationMs: 20_000 },
          { ...step, step: 'scenarios', durationMs: 25_200 },
        ],
        tests: [
          { step: 'scenarios', file: 'a.scenario.ts', name: 'one', verdict: 'passed', durationMs: 1, attempts: [] },
          { step: 'scenarios', file: 'a.scenario.ts', name: 'two', verdict: 'flaky', durationMs: 1, attempts: [] },
        ],
      },
      {
        ...planned[1]!,
        ...nothing,
        verdict: 'failed',
        durationMs: 80_000,
        enter: 'harness shell arm64/vm/web',
        steps: [{ ...step, step: 'scenarios', durationMs: 60_000 }],
        tests: [
          { step: 'scenarios', file: 'a.scenario.ts', name: 'one', verdict: 'passed', durationMs: 1, attempts: [] },
          {
            step: 'scenarios',
            file: 'a.scenario.ts',
            name: 'two',
            verdict: 'failed',
            durationMs: 1,
            control: 'passes-on-control',
            attempts: [
              {
                verdict: 'failed',
                durationMs: 1,
                errors: [
                  { type: 'AssertionError', message: 'expected 1 to be 2\nmore', file: 'a.scenario.ts', line: 7 },
                ],
              },
            ],
          },
        ],
      },
      {
        ...planned[2]!,
        ...nothing,
        verdict: 'infra',
        voting: false,
        durationMs: 12_000,
        tests: [],
        steps: [
          {
            ...step,
            step: 'acquire',
            verdict: 'infra',
            durationMs: 12_000,
            error: {
              type: 'InfraError',
              message: 'cannot boot: kernel panic',
              hint: 'look at console.log',
              causes: ['1\n2\n3\n4', '  it said \u001b[31mno\n\n'],
            },
          },
        ],
      },
    ]),
  );
  expect(text()).toBe(`
Run r1 failed (exit 1) after 3 min 12 s
  ✔ amd64/vm/web    passed      45.2 s    2 of 2 tests passed
  ✖ arm64/vm/web    failed      80.0 s    1 of 2 tests passed
      enter it with: harness shell arm64/vm/web
  ✖ ppc64le/vm/web  infra       12.0 s    non-voting

Failures
  arm64/vm/web  a.scenario.ts:7  two  (passes on amd64: the architecture’s or its emulator’s)
    expected 1 to be 2
  ppc64le/vm/web  acquire  infra
    cannot boot: kernel panic
      2
      3
      4
      it said no
    next: look at console.log

Passed on a later attempt
  amd64/vm/web  a.scenario.ts  two

Tests    5 tests planned: 3 passed, 1 failed, 0 flaky, 0 skipped, 1 never ran
Time     scenarios 85.2 s, acquire 32.0 s (all cells together)
Reports  .harness/runs/r1/index.html
Again    npx harness run matrices/quickstart.yaml --only '{arm64/vm/web,ppc64le/vm/web}'
`);
});

const finished = (cell: string, verdict: 'passed' | 'failed', name = 'a test'): HarnessEvent => ({
  type: 'test.finished',
  cell,
  step: 'scenarios',
  file: 'a.scenario.ts',
  name,
  verdict,
  durationMs: 5,
  attempts: [],
});

test('the progress of the run, and the remaining time by earlier durations', async () => {
  const expectedMs = new Map([
    [AMD64, 60_000],
    [ARM64, 240_000],
  ]);
  const { terminal, time, text } = open({ more: { expectedMs } });
  terminal.event(started);
  terminal.event({ type: 'step.started', cell: AMD64, step: 'scenarios' });
  terminal.event({ type: 'step.started', cell: ARM64, step: 'scenarios' });
  terminal.event(finished(AMD64, 'passed'));
  terminal.event(finished(ARM64, 'failed'));
  time.ms += 60_000;
  terminal.event({ type: 'cell.finished', cell: AMD64, verdict: 'passed', durationMs: 60_000 });
  // arm64 has 3 minutes to go, and ppc64le was never seen.
  expect(text()).toContain('1 of 3 cells, 2 tests, 1 failed, about 4 min left\n');
  terminal.event({ type: 'cell.finished', cell: ARM64, verdict: 'failed', durationMs: 60_000 });
  // The remaining one was never timed.
  expect(text()).toMatch(/2 of 3 cells, 2 tests, 1 failed\n$/);
  await terminal.stop();
});

test('with more cells than lines, running and failed cells are shown, the others counted', async () => {
  const { terminal, written } = open({ isTty: true, columns: 80, rows: 7, env: { NO_COLOR: '1' } });
  const names = Array.from({ length: 30 }, (_, index) => `amd64/vm/s${index}`);
  terminal.event({ ...started, cells: names.map((name) => ({ ...planned[0]!, name })) });
  for (const name of names.slice(0, 3)) terminal.event({ type: 'step.started', cell: name, step: 'deploy' });
  for (const [index, name] of names.slice(3, 20).entries())
    terminal.event({ type: 'cell.finished', cell: name, verdict: index === 5 ? 'failed' : 'passed', durationMs: 1 });
  await frames();
  await terminal.stop();
  const last = stripVTControlCharacters(written.join('')).split('29 of').at(-1)!;
  for (const shown of ['amd64/vm/s0 ', 'amd64/vm/s1 ', 'amd64/vm/s2 ', '✖ amd64/vm/s8 ']) expect(last).toContain(shown);
  expect(last).toContain('and 16 passed, 10 waiting');
  expect(last).toContain('17 of 30 cells');
  expect(last).not.toContain('amd64/vm/s4 ');
  expect(last).not.toContain('amd64/vm/s25');
});

test('the last line of a terminal shows the progress of the run', async () => {
  const { terminal, text } = open({ isTty: true, columns: 100 });
  terminal.event(started);
  terminal.event({ type: 'cell.finished', cell: AMD64, verdict: 'passed', durationMs: 1 });
  await frames();
  await terminal.stop();
  expect(stripVTControlCharacters(text())).toContain('1 of 3 cells');
});

test('a narrow terminal shows step and time of a long name', async () => {
  const { terminal, text } = open({ isTty: true, columns: 40 });
  terminal.event(started);
  terminal.event({ type: 'step.started', cell: ARM64, step: 'benchmarks' });
  await frames();
  await terminal.stop();
  expect(stripVTControlCharacters(text())).toContain('arm64/vm/web benchmarks 0:00');
});

test('in the log of a GitHub job, tests and output of a step are one group when it is done', async () => {
  const { terminal, text } = open({ env: { GITHUB_ACTIONS: 'true' } });
  terminal.event({ type: 'step.started', cell: ARM64, step: 'tests' });
  terminal.output(ARM64, '::error::not a command');
  terminal.event(finished(ARM64, 'passed'));
  terminal.output(AMD64, 'still going');
  terminal.event({ type: 'step.finished', cell: ARM64, step: 'tests', verdict: 'passed', durationMs: 900 });
  await terminal.stop();
  expect(text()).toBe(
    [
      '[12:34:56] arm64/vm/web  tests  started',
      '::group::arm64/vm/web tests passed after 900 ms',
      'arm64/vm/web | ::error::not a command',
      '[12:34:56] arm64/vm/web  scenarios  passed  a test  (5 ms)',
      '::endgroup::',
      '[12:34:56] arm64/vm/web  tests  passed after 900 ms',
      '::group::amd64/vm/web, which was not done',
      'amd64/vm/web | still going',
      '::endgroup::',
      '',
    ].join('\n'),
  );
});

test('--quiet shows only the summary, --verbose every line, --color overrides the environment', async () => {
  const quiet = open({ isTty: true, columns: 80, more: { verbosity: 'quiet' } });
  quiet.terminal.event(started);
  quiet.terminal.progress(ARM64, 'booting');
  expect(quiet.text()).toBe('');
  await quiet.terminal.done(result([]));
  expect(quiet.text()).toContain('no step ran');

  const verbose = open({ isTty: true, columns: 80, more: { verbosity: 'verbose' } });
  verbose.terminal.event(started);
  verbose.terminal.progress(ARM64, 'one');
  verbose.terminal.progress(ARM64, 'two');
  expect(verbose.text()).toContain('arm64/vm/web  waiting  one\n[12:34:56] arm64/vm/web  waiting  two\n');

  for (const [color, env] of [
    [true, { NO_COLOR: '1' }],
    [false, { FORCE_COLOR: '1' }],
  ] as const) {
    const { terminal, text } = open({ env, more: { color } });
    await terminal.done(result([]));
    expect(text().includes('\u001b[1m')).toBe(color);
  }
});

test('a failed test is shown with difference, code, its place in the repository and its evidence; equal ones once', async () => {
  const error = {
    type: 'AssertionError',
    message: 'expected 1 to be 2',
    file: 'a.scenario.ts',
    line: 3,
    column: 9,
    diff: '- Expected\n+ Received\n\n- 2\n+ 1',
  };
  const failed = (name: string): CellResult => ({
    ...planned.find((one) => one.name === name)!,
    folder: 'suites/web',
    verdict: 'failed',
    durationMs: 1,
    steps: [],
    benchmarks: [],
    logs: [],
    artifacts: [`cells/${name}/console.log`, `cells/${name}/journal.txt`],
    tests: [
      {
        step: 'scenarios',
        file: 'a.scenario.ts',
        name: 'counts',
        verdict: 'failed',
        durationMs: 1,
        attempts: [{ verdict: 'failed', durationMs: 1, errors: [error] }],
      },
    ],
  });
  const source = (path: string) =>
    path === 'suites/web/a.scenario.ts' ? "import x;\ntest('counts', () => {\n  expect(1).toBe(2);\n});\n" : undefined;
  const { terminal, text } = open({ more: { source } });
  await terminal.done(result([failed(AMD64), failed(ARM64)]), 'runs/r1');
  expect(text()).toContain(`
Failures
  amd64/vm/web  suites/web/a.scenario.ts:3:9  counts
    expected 1 to be 2
      - Expected
      + Received

      - 2
      + 1

        1 | import x;
        2 | test('counts', () => {
      > 3 |   expect(1).toBe(2);
          |         ^
        4 | });
        5 |
    evidence: runs/r1/cells/amd64/vm/web/console.log and 1 more beside it
  arm64/vm/web  suites/web/a.scenario.ts:3:9  counts
    expected 1 to be 2
    evidence: runs/r1/cells/arm64/vm/web/console.log and 1 more beside it
`);
});

test('benchmarks are a table with interval, ratio and accelerator; in a narrow terminal without the interval', async () => {
  const facts = { kind: 'vm', accelerator: 'tcg', cpu: 'c', vcpus: 1, memoryBytes: 1 } as const;
  const measured = (name: string, arch: 'amd64' | 'arm64', factor: number): CellResult => ({
    ...planned.find((one) => one.name === name)!,
    verdict: 'passed',
    durationMs: 1,
    facts: { ...facts, arch },
    steps: [],
    logs: [],
    artifacts: [],
    tests: [],
    benchmarks: [
      {
        name: 'sha256 of 8 MiB',
        file: 'a.bench.ts',
        clock: 'guest',
        samplesMs: [10, 11, 12, 10, 11, 12, 10, 11, 12, 11].map((ms) => ms * factor),
        operations: 1,
        warmupSamples: 0,
        warnings: [],
      },
    ],
  });
  const both = [measured(AMD64, 'amd64', 1), measured(ARM64, 'arm64', 2)];
  const wide = open();
  await wide.terminal.done(result(both));
  expect(wide.text()).toContain(`
Benchmarks
  web on vm
            median      95 % interval              × amd64
  sha256 of 8 MiB
    amd64  11.0 ms  10.0 ms – 12.0 ms              control  TCG, emulated
    arm64  22.0 ms  20.0 ms – 24.0 ms  2.00× (1.82 – 2.20)  TCG, emulated
`);
  const narrow = open({ isTty: true, columns: 60 });
  await narrow.terminal.done(result(both));
  const lines = stripVTControlCharacters(narrow.text()).split('\n');
  const from = lines.indexOf('Benchmarks');
  expect(lines.slice(from, from + 6).filter((line) => line.length > 60)).toEqual([]);
  expect(lines.slice(from, from + 6).join('\n')).not.toContain('–');
});
