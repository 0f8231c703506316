import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { leftovers, makeProject } from './support/project.ts';

test('two nights are in the history and on the page, which can be written again without running anything', async () => {
  await using project = await makeProject({ 'matrices/nightly.yaml': 'arch: [amd64]\nsuite: [smoke]\n' });
  const first = await project.harness(['nightly', '--history', 'nights', '--page', 'site/index.html']);
  expect(first.exitCode, first.stderr).toBe(0);
  expect(first.stdout).toBe('1 night, 0 changes: site/index.html');

  const second = await project.harness(['nightly', '--history', 'nights', '--page', 'site/index.html', '--json']);
  expect(second.exitCode, second.stderr).toBe(0);
  const told = JSON.parse(second.stdout) as { run: string; exitCode: number; nights: number; changes: unknown[] };
  expect(told).toMatchObject({ exitCode: 0, nights: 2, changes: [] });
  const files = await readdir(join(project.folder, 'nights'));
  expect(files).toHaveLength(2);
  expect(files).toContain(`${told.run}.events.jsonl`);

  const page = await readFile(join(project.folder, 'site/index.html'), 'utf8');
  expect(page).toContain('<dt>nights</dt><dd>2</dd>');
  expect(page).toContain(told.run);
  expect(page).toContain('2 of 2 passed');
  for (const benchmark of ['perl loop', 'fork and exec']) expect(page).toContain(`<h4>${benchmark} `);
  expect(page).toContain('aria-label="2 nights, from ');

  const again = await project.harness(['history', 'page', '--history', 'nights', '--page', 'again.html']);
  expect(again.exitCode, again.stderr).toBe(0);
  expect(await readFile(join(project.folder, 'again.html'), 'utf8')).toBe(page);
  const list = await project.harness(['history', 'list', '--history', 'nights', '--json']);
  expect((JSON.parse(list.stdout) as { runs: unknown[] }).runs).toHaveLength(2);
  expect(await leftovers(project.folder)).toEqual([]);
});

test('a history that cannot be read is said before anything is run, and stays as it is', async () => {
  await using project = await makeProject({
    'matrices/nightly.yaml': 'arch: [amd64]\nsuite: [smoke]\n',
    'history/x.events.jsonl': '{"v":99,"seq":0,"type":"run.started","at":"2026-01-01T00:00:00.000Z"}\n',
    '.harness/nightly.html': 'the page of yesterday',
  });
  const { exitCode, stderr } = await project.harness(['nightly']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('x.events.jsonl:1: a newer harness wrote it (events version 99, this one reads 1)');
  expect(await readdir(join(project.folder, '.harness'))).toEqual(['nightly.html']);
  expect(await readFile(join(project.folder, '.harness/nightly.html'), 'utf8')).toBe('the page of yesterday');
});
