import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { COUNTED, countingProject, countsOf } from '../e2e/support/counting.ts';
import { addRun, type PoolRun, poolBenchmarks, poolProject } from './decision-pool.ts';
import { decisionReport } from './decision-report.ts';
import { RUNS_A_DECISION } from './decision-trials.ts';

/**
 * `npm run bench:timing [-- RUNS] [--only counts|decision] [--pool FILE] [--decisions N]`: how much instruction counts
 * differ between RUNS separate runs (20) of the same code on each architecture, on a machine with one busy core; and
 * how `harness compare --confirm` decides between a commit and itself, and between a commit and a slower one,
 * simulated with real runs. These are kept in the file of `--pool`, to which a later start adds. Prints Markdown;
 * exits with 1 when a target is missed.
 */
const { values, positionals } = parseArgs({
  options: { only: { type: 'string' }, pool: { type: 'string' }, decisions: { type: 'string', default: '100' } },
  allowPositionals: true,
});
const rounds = Number(positionals[0] ?? 20);
const busy = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
try {
  if (values.only !== 'decision') await showCounts(['amd64', 'arm64', 'ppc64le']);
  if (values.only !== 'counts') await showDecision();
} finally {
  busy.kill('SIGKILL');
}

async function showCounts(archs: readonly string[]): Promise<void> {
  const counts = new Map<string, number[]>();
  await using project = await countingProject(archs.join(', '));
  for (let round = 0; round < rounds; round++) {
    const { exitCode, stderr } = await project.harness(['run', 'count', '--jobs', '1']);
    if (exitCode !== 0) throw new Error(`the run ended with ${exitCode}:\n${stderr.split('\n').slice(-30).join('\n')}`);
    for (const [name, count] of await countsOf(project)) counts.set(name, [...(counts.get(name) ?? []), count]);
  }
  const percent = (share: number) => `${(100 * share).toFixed(3)} %`;
  process.stdout.write(
    `| ${rounds} runs | ${archs.join(' | ')} | target |\n|---|${archs.map(() => '---:|').join('')}---:|\n`,
  );
  for (const [name, { most }] of Object.entries(COUNTED)) {
    const spreads = archs.map((arch) => {
      const all = counts.get(`${arch} ${name}`) ?? [Number.NaN];
      return (Math.max(...all) - Math.min(...all)) / Math.min(...all);
    });
    if (!spreads.every((spread) => spread <= most)) process.exitCode = 1;
    process.stdout.write(`| ${name} | ${spreads.map(percent).join(' | ')} | ${percent(most)} |\n`);
  }
}

async function showDecision(): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'bench-timing-'));
  try {
    const pool = values.pool ?? join(scratch, 'pool.jsonl');
    const wanted = Math.max(rounds, RUNS_A_DECISION);
    const there = async () =>
      (await readFile(pool, 'utf8').catch(() => ''))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as PoolRun);
    const missing = wanted - (await there()).length;
    if (missing > 0) {
      await using project = await poolProject(await poolBenchmarks(join(scratch, 'sizes.jsonl')));
      for (let run = 1; run <= missing; run++) {
        await addRun(project, pool);
        process.stderr.write(`run ${run} of ${missing}\n`);
      }
    }
    const { text, met } = decisionReport(await there(), Number(values.decisions));
    process.stdout.write(`\n${text}`);
    if (!met) process.exitCode = 1;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
