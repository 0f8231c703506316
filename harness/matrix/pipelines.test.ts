import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { buildkitePipeline } from './buildkite.ts';
import { gitlabPipeline } from './gitlab.ts';
import type { CellJob } from './jobs.ts';

const root = join(import.meta.dirname, '../..');
const options = { matrix: 'mine', args: "--suite 'a b'", before: ['npm ci'], command: 'npx harness', image: undefined };
const job = (name: string, more: Partial<CellJob> = {}): CellJob => ({
  id: name.replaceAll('/', '-'),
  name,
  runner: '',
  args: `--only ${name}`,
  cacheKey: 'harness-key',
  ...more,
});

/** Validates a pipeline with gitlab-ci-local against GitLab's own schema, and lists its jobs. */
async function asGitlab(pipeline: string) {
  const folder = await mkdtemp(join(tmpdir(), 'gitlab-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, '.gitlab-ci.yml'), pipeline);
  const git = (...args: string[]) =>
    execa('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.org', ...args], { cwd: folder });
  await git('init', '--quiet');
  await git('add', '.');
  await git('commit', '--quiet', '--message', 'one');
  await git('remote', 'add', 'origin', 'git@gitlab.com:group/project.git');
  const program = join(root, 'node_modules/gitlab-ci-local/dist/index.js');
  const { all, stdout, exitCode } = await execa(process.execPath, [program, '--list-json'], {
    cwd: folder,
    all: true,
    reject: false,
  });
  return {
    exitCode,
    said: all,
    jobs: exitCode === 0 ? (JSON.parse(stdout) as { name: string; stage: string; when: string }[]) : [],
  };
}

test('the GitLab pipeline is valid: a job per cell, and one after them', async () => {
  const { said, jobs } = await asGitlab(
    gitlabPipeline([job('arm64/vm/web', { runner: 'metal' }), job('amd64/vm/web@trixie')], {
      ...options,
      image: 'node:24',
    }),
  );
  expect(said).not.toContain('Invalid');
  expect(jobs.map(({ name, stage, when }) => [name, stage, when])).toEqual([
    ['cell arm64/vm/web', 'cells', 'on_success'],
    ['cell amd64/vm/web@trixie', 'cells', 'on_success'],
    ['merge', 'merge', 'always'],
  ]);
});

test('the schema refuses an invalid pipeline', async () => {
  const { exitCode, said } = await asGitlab('a: { script: [x], artifacts: { whenever: 1 } }\n');
  expect(exitCode).toBe(1);
  expect(said).toContain("'whenever' property is not expected to be here");
});

test('the examples of the page about GitLab are valid pipelines', async () => {
  const page = await readFile(join(root, 'docs/gitlab.md'), 'utf8');
  const examples = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text]) => text!);
  expect(examples.length).toBeGreaterThan(0);
  for (const example of examples) expect(await asGitlab(example), example).toMatchObject({ exitCode: 0 });
});

test('each job runs its cells as a part, and the last one merges all parts by the plan', () => {
  const of = parse(gitlabPipeline([job('arm64/vm/web', { runner: 'metal' })], options));
  expect(of['cell arm64/vm/web']).toMatchObject({
    tags: ['metal'],
    script: ['npx harness run mine --only arm64/vm/web --part'],
    artifacts: { when: 'always', paths: ['.harness/runs/'] },
  });
  expect(of.merge.script).toEqual([
    "npx harness list mine --suite 'a b' --json > plan.json",
    'npx harness merge .harness/runs --plan plan.json',
  ]);
});

test('Buildkite steps have valid keys, and no variables that the upload would expand', () => {
  const jobs = [job('arm64/vm/web@trixie', { runner: 'metal', args: "--only 'a$HOME'" }), job('amd64/vm/web')];
  const { steps } = parse(buildkitePipeline(jobs, options));
  for (const { key } of steps) expect(key).toMatch(/^[A-Za-z0-9_:-]+$/);
  expect(steps[0]).toMatchObject({
    agents: { queue: 'metal' },
    commands: ['npm ci', "npx harness run mine --only 'a$$HOME' --part"],
  });
  expect(steps.at(-1).depends_on).toEqual(
    steps.slice(0, -1).map(({ key }: { key: string }) => ({ step: key, allow_failure: true })),
  );
});
