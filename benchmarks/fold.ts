import { execFileSync } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { HarnessEvent, PlannedCell } from '../harness/events/types.ts';

/**
 * `npm run bench:fold [-- CELLS…]`: time, CPU time and memory of reading and folding a run, and of merging it from
 * parts, by number of cells. Each figure is that of a separate process; nothing is asserted.
 */
const PARTS = 10;
const TESTS = 5;
const sizes = process.argv.slice(2).map(Number);

const cellOf = (index: number): PlannedCell => {
  const arch = (['amd64', 'arm64', 'ppc64le'] as const)[index % 3]!;
  const suite = `suite-${Math.floor(index / 3)}`;
  return { name: `${arch}/vm/${suite}`, arch, target: 'vm', suite, voting: true };
};

function* eventsOf(run: string, cells: readonly PlannedCell[]): Generator<HarnessEvent> {
  yield {
    type: 'run.started',
    run,
    harness: '0.1.0',
    matrix: { name: 'many' },
    control: 'amd64',
    host: { arch: 'x64', cpu: 'c', cores: 2, memoryBytes: 1, kernel: 'k', node: 'v24' },
    cells,
    jobs: 1,
    jobsReason: 'one core',
    argv: [],
  };
  for (const { name: cell } of cells) {
    const tests = Array.from({ length: TESTS }, (_, index) => ({ file: 'a.scenario.ts', name: `does thing ${index}` }));
    yield { type: 'step.started', cell, step: 'scenarios' };
    yield { type: 'tests.planned', cell, step: 'scenarios', tests };
    for (const [index, test] of tests.entries()) {
      yield { type: 'test.started', cell, ...test };
      const verdict = index === 0 ? 'failed' : 'passed';
      const attempts = [{ verdict, durationMs: 5, errors: [] }] as const;
      yield { type: 'test.finished', cell, step: 'scenarios', ...test, verdict, durationMs: 5, attempts };
    }
    yield { type: 'step.finished', cell, step: 'scenarios', verdict: 'failed', durationMs: 60 };
    yield { type: 'cell.finished', cell, verdict: 'failed', durationMs: 70 };
  }
  yield { type: 'run.finished', exitCode: 1, interrupted: false, durationMs: 1000 };
}

async function writeRun(folder: string, cells: readonly PlannedCell[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  function* batches() {
    let seq = 0;
    let batch = '';
    for (const event of eventsOf(folder.replace(/.*\//, 'run-'), cells)) {
      batch += `${JSON.stringify({ ...event, v: 1, seq, at: new Date(1.7e12 + seq++).toISOString() })}\n`;
      if (batch.length < 2 ** 20) continue;
      yield batch;
      batch = '';
    }
    yield batch;
  }
  await pipeline(batches, createWriteStream(join(folder, 'events.jsonl')));
}

/** Runs a module in a separate process. */
function measured(script: string, args: readonly string[]): string {
  const started = performance.now();
  const argv = ['--input-type=module-typescript', '--eval', `${script}\n${USAGE}`, ...args];
  const { maxRSS, userCPUTime, systemCPUTime } = JSON.parse(execFileSync(process.execPath, argv, { encoding: 'utf8' }));
  const seconds = (performance.now() - started) / 1000;
  const cpu = (userCPUTime + systemCPUTime) / 1e6;
  return `${seconds.toFixed(1)} s (CPU ${cpu.toFixed(1)} s), ${Math.round(maxRSS / 1024)} MB`;
}

const module = (path: string) => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));
const USAGE = 'process.stdout.write(JSON.stringify(process.resourceUsage()));';
const FOLD = `import { loadRun } from ${module('../harness/events/load-run.ts')};
await loadRun(process.argv[1]);`;
const MERGE = `import { openMerge } from ${module('../harness/events/merge.ts')};
import { eventsIn } from ${module('../harness/events/reader.ts')};
const parts = process.argv.slice(1).map((source) => ({ source, bytes: 0, events: () => eventsIn(source) }));
for await (const event of (await openMerge(parts)).events()) JSON.stringify(event);`;

const folder = await mkdtemp(join(tmpdir(), 'harness-bench-fold-'));
try {
  process.stdout.write(`| cells | events | fold | merge of ${PARTS} parts |\n|---:|---:|---:|---:|\n`);
  for (const size of sizes.length > 0 ? sizes : [1000, 20_000, 100_000]) {
    const cells = Array.from({ length: size }, (_, index) => cellOf(index));
    await writeRun(join(folder, 'whole'), cells);
    const parts: string[] = [];
    for (let part = 0; part < PARTS; part++) {
      await writeRun(
        join(folder, `part-${part}`),
        cells.filter((_, index) => index % PARTS === part),
      );
      parts.push(join(folder, `part-${part}`, 'events.jsonl'));
    }
    const events = size * (2 * TESTS + 4) + 2;
    process.stdout.write(
      `| ${size} | ${events} | ${measured(FOLD, [join(folder, 'whole')])} | ${measured(MERGE, parts)} |\n`,
    );
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
