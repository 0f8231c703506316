import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeProject } from '../e2e/support/project.ts';
import { formatDuration } from '../harness/base/text.ts';
import { readEvents } from '../harness/events/reader.ts';
import type { Results } from '../reports/results-schema.ts';

/**
 * `npm run bench:start [-- --warm]`: how long a start takes, as in docs/performance.md. Builds the images in a
 * separate, empty cache (skipped with `--warm`), then runs the quickstart matrix cold and resumed. Prints Markdown.
 */
const warm = process.argv.includes('--warm');
const cache = warm ? undefined : await mkdtemp(join(tmpdir(), 'harness-bench-cache-'));
const env = cache === undefined ? {} : { HARNESS_CACHE: cache };
const out = (line: string) => process.stdout.write(`${line}\n`);

interface Start {
  readonly results: Results;
  readonly totalMs: number;
  /** Milliseconds from the start of a cell's acquire step to its first scenario. */
  readonly firstScenario: ReadonlyMap<string, number>;
}

async function start(...options: string[]): Promise<Start> {
  await using project = await makeProject({});
  const started = performance.now();
  const { exitCode, stderr } = await project.harness(['run', 'quickstart', ...options], env);
  if (exitCode !== 0) throw new Error(`the run ended with ${exitCode}:\n${stderr.split('\n').slice(-30).join('\n')}`);
  const totalMs = performance.now() - started;
  const { events } = await readEvents(join(project.folder, '.harness/runs/latest/events.jsonl'));
  const firstScenario = new Map<string, number>();
  for (const { name } of (await project.results()).cells) {
    const from = events.find(
      (event) => event.type === 'step.started' && event.cell === name && event.step === 'acquire',
    );
    const to = events.find((event) => event.type === 'test.started' && event.cell === name);
    if (from && to) firstScenario.set(name, Date.parse(to.at) - Date.parse(from.at));
  }
  return { results: await project.results(), totalMs, firstScenario };
}

function table(label: string, { results, totalMs, firstScenario }: Start): void {
  out(`\n**${label}**: ${formatDuration(totalMs)} in all\n`);
  const steps = ['image', 'acquire', 'deploy', 'scenarios', 'benchmarks'] as const;
  out(`| cell | ${steps.join(' | ')} | to the first scenario | slower than host |`);
  out(`|---|${steps.map(() => '---:|').join('')}---:|---:|`);
  for (const cell of results.cells) {
    const durations = steps.map((name) => cell.steps.find(({ step }) => step === name)?.durationMs ?? 0);
    const first = firstScenario.get(cell.name) ?? 0;
    const shown = [...durations, first].map(formatDuration).join(' | ');
    out(`| ${cell.name} | ${shown} | ${cell.scale?.factor ?? '?'} × |`);
  }
}

try {
  const first = await start();
  if (!warm) {
    table('a first start, images from nothing', first);
    out('\n| image | part | time |\n|---|---|---:|');
    for (const cell of first.results.cells) {
      for (const { name, durationMs } of cell.steps.find((step) => step.step === 'image')?.phases ?? []) {
        out(`| ${cell.arch} | ${name} | ${formatDuration(durationMs)} |`);
      }
    }
  }
  const cold = await start('--cold');
  table('a cold start: images are there, machines boot', cold);
  const resumed = await start();
  table('a warm start: machines are resumed', resumed);
  for (const [cell, ms] of cold.firstScenario) {
    const ratio = ms / (resumed.firstScenario.get(cell) ?? Number.NaN);
    out(`\n${cell}: the first scenario ${ratio.toFixed(1)} times sooner`);
  }
  out('\n| cell, resumed | part | time |\n|---|---|---:|');
  for (const cell of resumed.results.cells) {
    for (const { name, durationMs } of cell.steps.find((step) => step.step === 'acquire')?.phases ?? [])
      out(`| ${cell.name} | ${name} | ${formatDuration(durationMs)} |`);
  }
} finally {
  if (cache !== undefined) await rm(cache, { recursive: true, force: true });
}
