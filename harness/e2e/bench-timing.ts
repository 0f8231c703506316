import { spawn } from 'node:child_process';
import { COUNTED, countingProject, countsOf } from './counting.ts';

/**
 * `npm run bench:timing [-- RUNS]`: how much counts of instructions differ between separate runs (20) of the same code,
 * on a machine one of whose cores is kept busy. Prints Markdown; ends with 1 when one differs by more than it may.
 */
const rounds = Number(process.argv[2] ?? 20);
const archs = ['amd64', 'arm64', 'ppc64le'];
const busy = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
const counts = new Map<string, number[]>();
try {
  await using project = await countingProject(archs.join(', '));
  for (let round = 0; round < rounds; round++) {
    const { exitCode, stderr } = await project.harness(['run', 'count', '--jobs', '1']);
    if (exitCode !== 0) throw new Error(`the run ended with ${exitCode}:\n${stderr.split('\n').slice(-30).join('\n')}`);
    for (const [name, count] of await countsOf(project)) counts.set(name, [...(counts.get(name) ?? []), count]);
  }
} finally {
  busy.kill('SIGKILL');
}

const percent = (share: number) => `${(100 * share).toFixed(3)} %`;
process.stdout.write(
  `| ${rounds} runs | ${archs.join(' | ')} | may be |\n|---|${archs.map(() => '---:|').join('')}---:|\n`,
);
for (const [name, { most }] of Object.entries(COUNTED)) {
  const spreads = archs.map((arch) => {
    const all = counts.get(`${arch} ${name}`) ?? [Number.NaN];
    return (Math.max(...all) - Math.min(...all)) / Math.min(...all);
  });
  if (!spreads.every((spread) => spread <= most)) process.exitCode = 1;
  process.stdout.write(`| ${name} | ${spreads.map(percent).join(' | ')} | ${percent(most)} |\n`);
}
