import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { expect } from 'vitest';
import { retryUntil } from '../../harness/base/time.ts';
import type { Results } from '../../reports/results-schema.ts';
import { makeProject, type TestProject } from './project.ts';

/** What the cells of a project of {@link fakes} do. */
export interface Fake {
  readonly ms: number;
  /** A file, in the project or elsewhere: cells that are not red end when it is there, however busy their host is. */
  readonly until?: string;
  readonly red?: readonly string[];
  readonly infraOnce?: readonly string[];
}

export const ARCHS = ['amd64', 'arm64', 'ppc64le'];

/** The file for which cells wait whose `until` it is. */
export const GO = 'go';

/** What nodes call in place of the harness. */
export const FAKE = 'e2e/support/fake-harness.ts';

/** The cells of an architecture. */
export function names(arch: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${arch}/vm/s${index + 1}`);
}

/**
 * A project with so many cells an architecture that write events and do nothing.
 * @param machines the text of `machines.yaml`, by the project's folder.
 */
export async function fakes(perArch: number, fake: Fake, machines: (folder: string) => string): Promise<TestProject> {
  const suites = Array.from({ length: perArch }, (_, index) => `s${index + 1}`);
  const project = await makeProject({
    'matrices/fake.yaml': `arch: [${ARCHS.join(', ')}]\nsuite: [${suites.join(', ')}]\nimages: { build-memory: 128 }\n`,
    ...Object.fromEntries(
      suites.map((name) => [`suites/${name}/suite.yaml`, 'machine: { vcpus: 1, memory: 128 }\n'] as const),
    ),
    '.gitignore': '.harness\nstate\ntmp\nshared\ngo\n',
    'shared/.keep': '',
  });
  const until = fake.until === undefined ? {} : { until: resolve(project.folder, fake.until) };
  await writeFile(join(project.folder, 'fake.json'), JSON.stringify({ ...fake, ...until }));
  await writeFile(join(project.folder, 'machines.yaml'), machines(project.folder));
  await execa('git', ['init', '-q'], { cwd: project.folder });
  return project;
}

/** Where the attempt ran that became a cell's result. */
export function nodeOf({ logs }: Results['cells'][number]): string | undefined {
  return logs.map(({ message }) => /ran on (\w+)/.exec(message)?.[1]).find((node) => node !== undefined);
}

/** Attempts that began, by the name of the cell. */
export async function begun(project: TestProject): Promise<Map<string, number>> {
  const shared = join(project.folder, 'shared/runs');
  const all = (await readdir(shared, { recursive: true })).filter((path) => path.endsWith('/begun'));
  const cells = all.map((path) => path.split('/').slice(2, -2).join('/'));
  return new Map([...Map.groupBy(cells, (cell) => cell)].map(([cell, list]) => [cell, list.length]));
}

/** Resolves when the first attempts of some cells are at work. */
export async function atWork(project: TestProject, cells: readonly string[]): Promise<void> {
  await retryUntil(
    async () => {
      const runs = join(project.folder, 'shared/runs');
      const [run = ''] = await readdir(runs);
      for (const cell of cells)
        expect(await readFile(join(runs, run, 'parts', cell, '1/events.jsonl'), 'utf8')).toContain('tests.planned');
    },
    { deadlineMs: 240_000 },
  );
}

/** Lets the cells end that wait until {@link GO} is there. */
export async function letGo(project: TestProject): Promise<void> {
  await writeFile(join(project.folder, GO), '');
}

/** Resolves when so many attempts are known to be lost. */
export async function lost(project: TestProject, count: number): Promise<void> {
  const ledger = join(project.folder, '.harness/runs/latest/dispatch.jsonl');
  await retryUntil(
    async () =>
      expect((await readFile(ledger, 'utf8')).split('"type":"lost"').length - 1).toBeGreaterThanOrEqual(count),
    { deadlineMs: 240_000 },
  );
}

/** Expects that all six cells passed; those of an architecture after one attempt that ended so, the others at once. */
export function expectLostOnce(cells: Results['cells'], arch: string, reason: string): void {
  expect(cells.map(({ verdict }) => verdict)).toEqual(Array(6).fill('passed'));
  for (const { name, earlier } of cells)
    expect(
      earlier?.map((attempt) => attempt.reason),
      name,
    ).toEqual(name.startsWith(`${arch}/`) ? [reason] : undefined);
}
