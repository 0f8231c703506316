import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import type { BenchmarkChange } from '../harness/compare/regression.ts';
import { foldEvents } from '../harness/events/fold.ts';
import { readEvents } from '../harness/events/reader.ts';
import { leftovers, makeProject, matrixYaml, suiteYaml, type TestProject } from './support/project.ts';

const benchmarks = (turns: number) => `import { test } from 'multiarch-harness';
test('changed', ({ measure }) =>
  measure.instructions('i=0; while [ $i -lt ${turns} ]; do i=$((i+1)); done', { samples: 6, warmup: 1 }));
test('as it was', ({ measure }) => measure.instructions('seq 500', { samples: 6, warmup: 1 }));
test('measures nothing', () => {});
`;

async function commit(project: TestProject, message: string): Promise<void> {
  const git = (...args: string[]) => execa('git', ['-C', project.folder, ...args], { stdin: 'ignore' });
  await git('add', 'suites', 'matrices');
  await git('-c', 'user.name=t', '-c', 'user.email=t@example.org', 'commit', '--quiet', '--message', message);
}

test('a commit that makes a benchmark execute 2 % more is found by fresh runs of both, and nothing is left of them', async () => {
  await using project = await makeProject({
    'matrices/count.yaml': matrixYaml(['count']),
    'suites/count/suite.yaml': suiteYaml(),
    'suites/count/a.scenario.ts': "import { test } from 'multiarch-harness';\ntest('is there', () => {});\n",
    'suites/count/a.bench.ts': benchmarks(1000),
  });
  await execa('git', ['init', '--quiet', project.folder]);
  await commit(project, 'one');
  const run = async () => {
    const { exitCode, stderr } = await project.harness(['run', 'count']);
    expect(exitCode, stderr).toBe(0);
    return JSON.parse(await project.read('results.json')).run as string;
  };
  const base = await run();
  await writeFile(join(project.folder, 'suites/count/a.bench.ts'), benchmarks(1060));
  await commit(project, 'two');
  const next = await run();

  const compared = await project.harness(['compare', base, next, '--confirm', '--fail-on', '1%', '--json']);
  expect(compared.exitCode, compared.stderr).toBe(1);
  const { changes, confirmed } = JSON.parse(compared.stdout) as { changes: BenchmarkChange[]; confirmed: boolean };
  expect(confirmed).toBe(true);
  expect(changes.find(({ name }) => name === 'changed')).toMatchObject({ change: 'worse', suspect: 'worse' });
  expect(changes.find(({ name }) => name === 'as it was')!.change).toMatch(/^(same|cannot tell)$/);
  const [confirmations] = await readdir(join(project.folder, '.harness/confirm'));
  const place = join(project.folder, '.harness/confirm', confirmations!);
  const runs = (await readdir(place)).filter((name) => name !== 'latest');
  expect(runs.length).toBeGreaterThanOrEqual(12);
  for (const name of runs) {
    const { exitCode, cells } = foldEvents((await readEvents(join(place, name, 'events.jsonl'))).events);
    expect(exitCode).toBe(0);
    // Tests outside of the selection were neither run nor planned.
    const tests = cells[0]!.tests.map((one) => one.name);
    expect(['changed', 'as it was']).toEqual(expect.arrayContaining(tests));
  }
  // `latest` is still the user's own run.
  expect(JSON.parse(await project.read('results.json')).run).toBe(next);
  expect(await leftovers(project.folder)).toEqual([]);
});
