import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { nativeArch } from '../harness/arch/index.ts';
import { makeProject, type TestProject } from './support/project.ts';

// One function turns a selection back into options: jobs of a workflow and re-run commands select exactly the same.

const arch = nativeArch()!.name;
const other = arch === 'arm64' ? 'amd64' : 'arm64';
const suite = (body: string) => ({
  'suite.yaml': 'machine: { memory: 64 }\n',
  'a.scenario.ts': `import { expect, test } from 'multiarch-harness';\ntest('t', () => ${body});\n`,
});
const files = Object.fromEntries([
  ['matrices/m.yaml', `arch: [${arch}, ${other}]\nsuite: [one, two]\n`],
  ['ci/machines.yaml', 'machines: { somewhere: { address: 192.0.2.1 } }\n'],
  ['ci/last.json', JSON.stringify({ cells: [{ name: `${arch}/local/one`, durationMs: 1 }] })],
  ...['one', 'two'].flatMap((name) =>
    Object.entries(suite(name === 'one' ? '{}' : 'expect(1).toBe(2)')).map(([file, text]) => [
      `suites/${name}/${file}`,
      text,
    ]),
  ),
]) as Record<string, string>;

interface Job {
  readonly name: string;
  readonly args: string;
}

const jobsOf = (stdout: string) => (JSON.parse(stdout) as { include: Job[] }).include;
const cellsOf = (stdout: string) => stdout.split('\n').filter(Boolean).sort();

/** The words of a shell's command line. */
async function wordsOf(line: string): Promise<string[]> {
  const { stdout } = await execa('bash', ['-c', `printf '%s\\n' ${line}`]);
  return stdout.split('\n');
}

async function listed(project: TestProject, ...args: string[]): Promise<string[]> {
  const { exitCode, stdout, stderr } = await project.harness(['list', ...args]);
  expect(exitCode, stderr).toBe(0);
  return cellsOf(stdout);
}

test.each([
  [['--arch', other]],
  [['--target', 'local', '--arch', arch]],
  [['--target', 'local', '--suite', 'one']],
  [['--target', 'ssh', '--machines', 'ci/machines.yaml', '--arch', arch]],
  [['--target', 'local', '--durations', 'ci/last.json']],
  [['--only', '*/*/{one,two}', '--arch', `${arch},${other}`, '--no-bench']],
])('the jobs of %j have its cells, one each or in shards', async (options) => {
  await using project = await makeProject(files);
  const planned = await listed(project, 'm', ...options.filter((word) => word !== '--no-bench'));
  for (const shards of [[], ['--shards', '2']]) {
    const jobs = jobsOf((await project.harness(['matrix', 'm', '--github', ...options, ...shards])).stdout);
    const found: string[] = [];
    for (const { args } of jobs) {
      const words = await wordsOf(args);
      expect(words.includes('--no-bench')).toBe(options.includes('--no-bench'));
      found.push(...(await listed(project, 'm', ...words.filter((word) => word !== '--no-bench'))));
    }
    expect(found.sort()).toEqual(planned);
  }
});

test('--shard and --shards together are refused', async () => {
  await using project = await makeProject(files);
  const { exitCode, stderr } = await project.harness(['matrix', 'm', '--github', '--shard', '1/2', '--shards', '2']);
  expect(stderr).toContain('error: --shard is one of several jobs');
  expect(exitCode).toBe(2);
});

test('what a run says to run again is what failed, wherever it says so', async () => {
  await using project = await makeProject(files);
  const summary = join(project.folder, 'step-summary');
  await writeFile(summary, '');
  const options = ['--target', 'local', '--suite', 'two,one', '--arch', arch, '--no-bench'];
  const ran = await project.harness(['run', ...options], { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary });
  expect(ran.exitCode, ran.stderr).toBe(1);
  const line = `npx harness run matrices/m.yaml --no-bench --target local --suite two,one --arch ${arch} --file a.scenario.ts --test t --only '${arch}/local/two'`;
  expect(ran.stderr).toContain(`Again    ${line}`);
  expect(ran.stdout).toContain(`Run it again: ${line}`);
  expect(await project.read('summary.md')).toContain(line);
  expect((await project.read('index.html')).replaceAll('&#39;', "'")).toContain(line);
  // A list of cells ignores the selection of tests and benchmarks.
  const cells = line.replace(' --no-bench', '').replace(' --file a.scenario.ts --test t', '');
  const words = (await wordsOf(cells)).slice(3);
  expect(await listed(project, ...words)).toEqual([`${arch}/local/two`]);

  // One report of jobs with different selections: each failure has the options of its own job.
  const parts = join(project.folder, 'parts');
  for (const [name, ...chosen] of [
    ['a', '--only', `${arch}/local/one`],
    ['b', '--suite', 'two', '--arch', arch, '--no-bench'],
  ] as const) {
    await project.harness(['run', 'm', '--target', 'local', ...chosen, '--part']);
    await cp(join(project.folder, '.harness/runs/latest/'), join(parts, name), { recursive: true, dereference: true });
  }
  const merged = await project.harness(['merge', 'parts']);
  expect(merged.exitCode, merged.stderr).toBe(1);
  expect(await project.read('summary.md')).toContain(
    `npx harness run matrices/m.yaml --no-bench --target local --suite two --arch ${arch} --file a.scenario.ts --test t --only '${arch}/local/two'`,
  );
});
