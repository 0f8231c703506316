import { cp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Results } from '../reports/results-schema.ts';
import { makeProject, suiteYaml } from './support/project.ts';

const files = {
  'matrices/pair.yaml': 'arch: [amd64, arm64]\nsuite: [good, bad]\nlimits: {scale: 30}\n',
  'suites/good/suite.yaml': suiteYaml(),
  'suites/good/a.scenario.ts': `import { expect, test } from 'multiarch-harness';
test('is what it is', async ({ target }) => expect(await target.sh('uname -m')).toBe(target.arch.machine));
`,
  'suites/bad/suite.yaml': suiteYaml(),
  'suites/bad/a.scenario.ts': `import { expect, test } from 'multiarch-harness';
test('passes', () => {});
test('fails', async ({ target }) => expect(await target.sh('echo; echo "::error::from the guest"')).toBe('nothing'));
`,
};

/** The outputs that a step wrote, as the runner reads them: `NAME<<END`, lines, `END`. */
function outputs(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/^(\w+)<<(\S+)\n([\s\S]*?)\n\2$/gm)].map(([, name, , value]) => [name, value]),
  );
}

const countsOf = ({ counts, cells }: Results) => ({
  counts,
  cells: cells.map(({ name, verdict, tests }) => [name, verdict, tests.map((one) => [one.name, one.verdict])]),
});

test('plan, jobs, merge: what several jobs did is what one run does', async () => {
  await using local = await makeProject(files);
  const once = await local.harness(['run', 'pair', '--no-bench']);
  expect(once.exitCode, once.stderr).toBe(1);

  // The plan job.
  await using planner = await makeProject(files);
  const outputFile = join(planner.folder, 'output');
  await writeFile(outputFile, '');
  const planned = await planner.harness(['matrix', 'pair', '--github', '--shards', '3'], { GITHUB_OUTPUT: outputFile });
  expect(planned.exitCode, planned.stderr).toBe(0);
  const { matrix, count } = outputs(await readFile(outputFile, 'utf8'));
  expect(count).toBe('3');
  const { include } = JSON.parse(matrix!) as { include: { id: string; args: string }[] };
  const plan = (await planner.harness(['list', 'pair', '--json'])).stdout;

  // One job after the other, each in its own folder; the upload has a copy of `latest`.
  await using merger = await makeProject({ ...files, 'plan.json': plan });
  const parts = join(merger.folder, 'parts');
  for (const { id, args } of include) {
    await using job = await makeProject(files);
    const summary = join(job.folder, 'summary');
    await writeFile(summary, '');
    const github = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary };
    const ran = await job.harness(['run', 'pair', ...args.split(' '), '--no-bench', '--part'], github);
    expect([0, 1], ran.stderr).toContain(ran.exitCode);
    expect(await readFile(summary, 'utf8')).toBe('');
    expect(ran.stdout + ran.stderr).not.toMatch(/^::(?!group::|endgroup::)/m);
    await mkdir(parts, { recursive: true });
    await cp(join(job.folder, '.harness/runs'), join(parts, id), { recursive: true, dereference: true });
  }

  // The last job.
  const summary = join(merger.folder, 'summary');
  await writeFile(summary, '');
  const github = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary };
  const merged = await merger.harness(['merge', 'parts', '--plan', 'plan.json'], github);
  expect(merged.exitCode, merged.stderr).toBe(1);
  const annotations = merged.stdout.split('\n').filter((line) => line.startsWith('::'));
  // A failed test on each architecture, and none of the guest's output.
  expect(annotations).toHaveLength(2);
  for (const line of annotations)
    expect(line).toMatch(/^::error title=(amd64|arm64)\/vm\/bad › fails,file=suites\/bad\/a\.scenario\.ts,line=3/);
  expect(await readFile(summary, 'utf8')).toContain('arm64/vm/bad');
  const results = await merger.results();
  expect(countsOf(results)).toEqual(countsOf(await local.results()));
  const failed = results.cells.find(({ name }) => name === 'arm64/vm/bad')!;
  expect(failed.artifacts.length).toBeGreaterThan(3);
  for (const file of failed.artifacts) await stat(join(merger.folder, '.harness/runs', results.run, file));

  // A job that did not upload anything.
  await rm(join(parts, include[0]!.id), { recursive: true });
  await rm(join(parts, include[1]!.id), { recursive: true });
  const missing = await merger.harness(['merge', 'parts', '--plan', 'plan.json']);
  expect([1, 4]).toContain(missing.exitCode);
  expect(missing.stdout).toMatch(/^(incomplete|failed): 4 cells/);
  await rm(parts, { recursive: true });
  const none = await merger.harness(['merge', 'parts']);
  expect(none.exitCode).toBe(2);
  expect(none.stderr).toContain('cannot merge parts');
});
