import { cloneMachines } from '../e2e/support/clones.ts';
import { findArch } from '../harness/arch/index.ts';
import { formatDuration } from '../harness/base/text.ts';
import { summarize } from '../harness/bench/statistics.ts';

/**
 * `npm run bench:clones [-- ARCH [COUNT]]`: resumes COUNT machines (40) from one snapshot, which run at the same time.
 * Prints Markdown; exits with 1 when two are alike or a clock is off by more than a second.
 */
const named = process.argv[2] ?? 'amd64';
const arch = findArch(named)?.name;
if (arch === undefined) throw new Error(`unknown architecture ${named}`);
const count = Number(process.argv[3] ?? 40);
const begun = performance.now();
const clones = await cloneMachines(arch, count, 4);
const totalMs = performance.now() - begun;
const resumes = summarize(
  clones.map(({ resumeMs }) => resumeMs),
  'clones',
);
const worst = Math.max(...clones.map(({ skewMs }) => Math.abs(skewMs)));
const alike = (['machineId', 'hostKey', 'random'] as const).filter(
  (what) => new Set(clones.map((clone) => clone[what])).size !== count,
);
process.stdout.write(`| clones of ${arch} | all of them, one snapshot included | one resume, median | clocks off by at most | alike |
|---:|---:|---:|---:|---|
| ${count} | ${formatDuration(totalMs)} | ${formatDuration(resumes.median)} | ${worst.toFixed(0)} ms | ${alike.join(', ') || 'none'} |
`);
if (alike.length > 0 || worst > 1000) process.exitCode = 1;
