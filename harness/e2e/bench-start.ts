import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Results } from '../../reports/results-schema.ts';
import { formatDuration } from '../base/text.ts';
import { makeProject } from './project.ts';

/**
 * `npm run bench:start [-- --warm]`: how long a start takes, as in docs/performance.md. Images from nothing in a cache of
 * its own (left out with `--warm`), then the quickstart matrix twice. Prints Markdown.
 */
const warm = process.argv.includes('--warm');
const cache = warm ? undefined : await mkdtemp(join(tmpdir(), 'harness-bench-cache-'));
const env = cache === undefined ? {} : { HARNESS_CACHE: cache };
const out = (line: string) => process.stdout.write(`${line}\n`);

async function start(label: string): Promise<Results> {
  await using project = await makeProject({});
  const started = performance.now();
  const { exitCode, stderr } = await project.harness(['run', 'quickstart'], env);
  if (exitCode !== 0) throw new Error(`the run ended with ${exitCode}:\n${stderr.split('\n').slice(-30).join('\n')}`);
  out(`\n**${label}**: ${formatDuration(performance.now() - started)} in all\n`);
  const results = await project.results();
  const steps = ['image', 'acquire', 'deploy', 'scenarios', 'benchmarks'] as const;
  out(`| cell | ${steps.join(' | ')} | boot to SSH | slower than host |`);
  out(`|---|${steps.map(() => '---:|').join('')}---:|---:|`);
  for (const cell of results.cells) {
    const of = (name: string) => cell.steps.find((step) => step.step === name);
    const boot = of('acquire')?.phases.find((phase) => phase.name === 'boot to SSH')?.durationMs ?? 0;
    const durations = steps.map((name) => formatDuration(of(name)?.durationMs ?? 0));
    out(`| ${cell.name} | ${durations.join(' | ')} | ${formatDuration(boot)} | ${cell.scale?.factor ?? '?'} × |`);
  }
  return results;
}

try {
  const first = await start(warm ? 'a start with warm images' : 'a first start, images from nothing');
  if (!warm) {
    out('\n| image | part | time |\n|---|---|---:|');
    for (const cell of first.cells) {
      for (const { name, durationMs } of cell.steps.find((step) => step.step === 'image')?.phases ?? []) {
        out(`| ${cell.arch} | ${name} | ${formatDuration(durationMs)} |`);
      }
    }
  }
  await start('a second start');
} finally {
  if (cache !== undefined) await rm(cache, { recursive: true, force: true });
}
