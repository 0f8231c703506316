import { expect, test } from 'vitest';
import { COUNTED, countingProject, countsOf } from './support/counting.ts';
import { leftovers } from './support/project.ts';

test('instructions are counted alike in every run, on a machine that was booted and on one that was resumed', async () => {
  await using project = await countingProject('amd64, ppc64le');
  const runs: Map<string, number>[] = [];
  for (const _ of ['booted', 'resumed']) {
    const { exitCode, stderr } = await project.harness(['run', 'count']);
    expect(exitCode, stderr).toBe(0);
    runs.push(await countsOf(project));
  }
  const { cells } = await project.results();
  expect(new Set(cells.flatMap(({ benchmarks }) => benchmarks.map(({ clock }) => clock)))).toEqual(
    new Set(['instructions']),
  );
  for (const arch of ['amd64', 'ppc64le'])
    for (const [name, { most }] of Object.entries(COUNTED)) {
      const counts = runs.map((run) => run.get(`${arch} ${name}`)!);
      // Twice the spread that 20 runs may have: this tests that counting works, `npm run bench:timing` how precisely.
      expect((Math.max(...counts) - Math.min(...counts)) / counts[0]!, `${arch} ${name}`).toBeLessThan(
        2 * most + 0.002,
      );
    }
  // Counts of two architectures are never divided.
  expect(await project.read('summary.md')).toContain('counts of instructions');
  expect(await leftovers(project.folder)).toEqual([]);
});
