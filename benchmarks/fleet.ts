import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startSlurm } from '../e2e/support/slurm.ts';
import { matrixSchema } from '../harness/config/schema/matrix.ts';
import { suiteSchema } from '../harness/config/schema/suite.ts';
import type { Engine } from '../harness/engines/engine.ts';
import { memoryEngine } from '../harness/engines/memory/memory.ts';
import { openSlurm } from '../harness/engines/slurm/slurm.ts';
import { loadRun } from '../harness/events/load-run.ts';
import type { StoredEvent } from '../harness/events/types.ts';
import { runOnEngine } from '../harness/fleet/run.ts';
import type { Cell } from '../harness/matrix/cell.ts';
import { DEFAULT_RELEASE } from '../harness/releases/index.ts';
import { writeReports } from '../reports/index.ts';

/**
 * `npm run bench:fleet -- memory [CELLS] [CELLS-PER-SECOND]` or `slurm [CELLS]`: cells that do nothing, on an engine in
 * memory that loses 1 % of attempts and ends the given number per second (default: 400), or on real Slurm (3 nodes on this host with 20 slots each). Prints seconds, cells per second,
 * memory of the controller, and the delay of events. `held [ROWS]`: how long Slurm takes to submit, list and cancel an
 * array that does not run. Nothing is asserted.
 */
const [mode = 'memory', given, rate = '400'] = process.argv.slice(2);
const ARCHS = ['amd64', 'arm64', 'ppc64le'] as const;
/** Milliseconds that an attempt takes on the engine in memory, which runs as many at once as the rate needs. */
const ATTEMPT_MS = 1250;
const SLOTS = Math.ceil((Number(rate) * ATTEMPT_MS) / 1000);
const LOST = 0.01;

/** The events of a part with one cell, as its harness would have written them. */
function partText(cell: string): string {
  const [arch = '', target = '', suite = ''] = cell.split('/');
  const at = new Date().toISOString();
  const test = { file: 'a.scenario.ts', name: 'works' };
  const events = [
    {
      ...{ type: 'run.started', run: 'part', harness: '0', matrix: { name: 'fake' }, control: 'amd64', jobs: 1 },
      ...{ jobsReason: 'one', argv: [], cells: [{ name: cell, arch, target, suite, voting: true }] },
      host: { arch: 'x64', cpu: 'c', cores: 2, memoryBytes: 1, kernel: 'k', node: 'v24' },
    },
    ...['image', 'acquire', 'deploy'].flatMap((step) => [
      { type: 'step.started', cell, step },
      { type: 'step.finished', cell, step, verdict: 'passed', durationMs: 1 },
    ]),
    { type: 'step.started', cell, step: 'scenarios' },
    { type: 'tests.planned', cell, step: 'scenarios', tests: [test] },
    { type: 'test.started', cell, ...test },
    {
      ...{ type: 'test.finished', cell, step: 'scenarios', ...test, verdict: 'passed', durationMs: 1 },
      attempts: [{ verdict: 'passed', durationMs: 1, errors: [] }],
    },
    { type: 'step.finished', cell, step: 'scenarios', verdict: 'passed', durationMs: 1 },
    { type: 'cell.finished', cell, verdict: 'passed', durationMs: 10 },
    { type: 'run.finished', exitCode: 0, interrupted: false, durationMs: 10 },
  ];
  return events.map((event, seq) => `${JSON.stringify({ ...event, v: 1, seq, at })}\n`).join('');
}

async function inMemory(): Promise<Engine> {
  return memoryEngine({
    slots: SLOTS,
    maxRows: 10_000,
    async work(argv) {
      const part = argv[2]!;
      const cell = argv[argv.indexOf('--only') + 1]!;
      await mkdir(part, { recursive: true });
      await delay(ATTEMPT_MS);
      const text = partText(cell);
      // A node that loses power leaves half of the file.
      const lost = basename(part) === '1' && Math.random() < LOST;
      await writeFile(join(part, 'events.jsonl'), lost ? text.slice(0, text.length / 2) : text);
    },
  });
}

async function measure(engine: Engine, cells: number, harness: string, pollSeconds: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'harness-bench-'));
  const project = join(folder, 'project');
  await mkdir(join(project, 'suites/s'), { recursive: true });
  await writeFile(join(project, 'suites/s/suite.yaml'), '');
  await mkdir(join(folder, 'shared'));
  const matrix = { ...matrixSchema.parse({ arch: ['amd64'], suite: ['s'] }), name: 'fake' };
  const config = suiteSchema.parse({});
  const all = Array.from({ length: cells }, (_, index): Cell => {
    const [arch, name] = [ARCHS[index % 3]!, `s${Math.floor(index / 3)}`];
    const suite = { ...config, name, folder: join(project, 'suites/s') };
    return { name: `${arch}/vm/${name}`, arch, target: 'vm', suite, release: DEFAULT_RELEASE, voting: true };
  });
  const lags: number[] = [];
  const started = performance.now();
  const cpu = process.cpuUsage();
  let ended = 0;
  const onEvent = (event: StoredEvent) => {
    if (event.type === 'cell.finished') lags.push(Date.now() - Date.parse(event.at));
  };
  const outcome = await runOnEngine(
    {
      ...{ matrix, cells: all, project, cache: join(folder, 'cache'), state: join(folder, 'state'), argv: [] },
      ...{ providers: undefined as never, version: '0', keep: false, bench: false, cold: false },
      ...{ interrupt: new AbortController().signal, onEvent, onProgress: () => {}, lagMs: 1000, backoffMs: 100 },
      onEnd: async (place) => {
        ended = performance.now();
        const result = await loadRun(place);
        await writeReports(result, place, [], { folder: place });
      },
    },
    {
      ...{ name: 'bench', detach: false, engine },
      config: {
        ...{
          kind: 'slurm',
          shared: join(folder, 'shared'),
          arch: Object.fromEntries(ARCHS.map((arch) => [arch, arch])),
        },
        ...{ options: [], harness, minutes: 60, 'poll-seconds': pollSeconds, 'cache-put': true },
      },
    },
  );
  const { user, system } = process.cpuUsage(cpu);
  lags.sort((a, b) => a - b);
  const seconds = (ms: number) => Math.round(ms / 100) / 10;
  process.stdout.write(
    `${JSON.stringify({
      cells,
      exitCode: 'exitCode' in outcome ? outcome.exitCode : undefined,
      runSeconds: seconds(ended - started),
      cellsPerSecond: Math.round(cells / ((ended - started) / 1000)),
      reportSeconds: seconds(performance.now() - ended),
      cpuSeconds: seconds((user + system) / 1000),
      peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
      lagP50Ms: lags[Math.floor(lags.length / 2)],
      lagP95Ms: lags[Math.floor(lags.length * 0.95)],
      cores: availableParallelism(),
    })}\n`,
  );
  await rm(folder, { recursive: true, force: true });
}

if (mode === 'memory') await measure(await inMemory(), Number(given ?? 100_000), 'none', 0.5);
else {
  const nodes = ARCHS.map((feature, index) => ({ name: `n${index + 1}`, feature }));
  await using cluster = await startSlurm(nodes, { slots: 20 });
  Object.assign(process.env, cluster.env);
  const engine = openSlurm({ options: [] });
  if (mode === 'slurm') {
    // A shell script stands in for the harness, so that Node's start is not measured.
    const fake = join(cluster.folder, 'fake.sh');
    const text = partText('CELL').replaceAll("'", `'\\''`);
    const words = [
      '#!/bin/sh',
      'while [ $# -gt 0 ]; do case $1 in --into) into=$2 ;; --only) only=$2 ;; esac; shift; done',
      'IFS=/ read -r arch target suite <<EOF\n$only\nEOF',
      'at=$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)',
      `printf '%s' '${text}' | sed -e "s|CELL|$only|g" -e "s|\\"arch\\":\\"[^x\\"]*\\"|\\"arch\\":\\"$arch\\"|" -e "s|\\"at\\":\\"[^\\"]*\\"|\\"at\\":\\"$at\\"|" >"$into/events.jsonl"`,
    ];
    await writeFile(fake, `${words.join('\n')}\n`, { mode: 0o755 });
    await measure(engine, Number(given ?? 1_000), fake, 1);
  } else {
    const rows = Array.from({ length: Number(given ?? 10_000) }, () => ['true']);
    const folder = join(cluster.folder, 'job');
    await mkdir(folder);
    const held = openSlurm({ options: ['--hold'] });
    const ask = { constraint: '', cpus: 1, memoryMiB: 10, exclusive: false, minutes: 1 };
    const timed = async (work: () => Promise<unknown>) => {
      const started = performance.now();
      await work();
      return Math.round(performance.now() - started);
    };
    const submitMs = await timed(() => held.submit({ token: 'held', ask, rows, folder }));
    const aliveMs = await timed(() => held.alive(['held']));
    const cancelMs = await timed(() => held.cancel('held'));
    process.stdout.write(`${JSON.stringify({ rows: rows.length, submitMs, aliveMs, cancelMs })}\n`);
  }
}
