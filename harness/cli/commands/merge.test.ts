import { copyFile, mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { loadRun } from '../../events/load-run.ts';
import { readEvents } from '../../events/reader.ts';
import { type TempFiles, tempFiles } from '../../testing/temp-files.ts';

const root = join(import.meta.dirname, '../../..');
const { events } = await readEvents(join(root, 'reports/fixtures/events.jsonl'));
const start = events[0]!;
if (start.type !== 'run.started') throw new Error('the fixture has no start');
const [first, second] = events
  .filter((event) => event.type === 'cell.finished' && event.verdict === 'passed')
  .map((event) => (event as { cell: string }).cell) as [string, string];

/** The run of a job of one cell. */
function job(cell: string): string[] {
  const own = events.filter((event) => !('cell' in event) || event.cell === undefined || event.cell === cell);
  return own.map((event, seq): string =>
    JSON.stringify(
      event.type === 'run.started'
        ? {
            ...event,
            seq,
            run: `run-${cell.replaceAll('/', '-')}`,
            cells: event.cells.filter(({ name }) => name === cell),
          }
        : { ...event, seq },
    ),
  );
}

const merge = (cwd: string, ...args: string[]) =>
  execa(process.execPath, [join(root, 'harness/cli/main.ts'), 'merge', ...args], { cwd, reject: false });

const good = `${job(first).join('\n')}\n`;
const whole = job(second);
const plan = JSON.stringify({
  matrix: start.matrix.name,
  control: start.control,
  cells: start.cells.filter(({ name }) => name === first || name === second),
});

async function project(): Promise<TempFiles> {
  return tempFiles({ 'matrices/m.yaml': '', 'plan.json': plan, 'parts/good/events.jsonl': good });
}

/** Whatever they are, the rest is merged, and their cells are incomplete. */
async function mergedBeside(broken: Readonly<Record<string, string>>): Promise<string> {
  await using files = await project();
  for (const [name, text] of Object.entries(broken)) {
    await mkdir(join(files.folder, 'parts', name));
    await writeFile(join(files.folder, 'parts', name, 'events.jsonl'), text);
  }
  const { exitCode, stderr } = await merge(files.folder, 'parts', '--plan', 'plan.json');
  expect(exitCode, stderr).toBe(4);
  const latest = join(files.folder, '.harness/runs/latest');
  const result = await loadRun(latest);
  expect(result.cells.map(({ name, verdict }) => [name, verdict])).toEqual(
    [first, second].map((name) => [name, name === first ? 'passed' : 'incomplete']),
  );
  const summary = await readFile(join(latest, 'summary.md'), 'utf8');
  expect(summary).toContain(second);
  expect(summary.match(/⚠️ parts/g)).toHaveLength(Object.keys(broken).length);
  expect(result.warnings?.filter((warning) => warning.startsWith('parts'))).toHaveLength(Object.keys(broken).length);
  return stderr;
}

test('parts that cannot be read are left out, with a warning each', async () => {
  const torn = whole[0]!.slice(0, 50);
  const said = await mergedBeside({
    empty: '',
    torn,
    followed: [torn, ...whole.slice(1), ''].join('\n'),
    newer: `${whole.join('\n').replaceAll('"v":1', '"v":9')}\n`,
    zeros: '\0'.repeat(512),
  });
  for (const name of ['empty', 'torn', 'zeros'])
    expect(said).toContain(`parts/${name}/events.jsonl is left out: it holds no whole event`);
  expect(said).toMatch(/followed\/events\.jsonl is left out: cannot read .*:1: the line is no JSON/);
  expect(said).toMatch(/newer\/events\.jsonl is left out: .* a newer harness wrote it/);
});

test('a part that is torn in the middle is taken up to there', async () => {
  const said = await mergedBeside({
    middle: [...whole.slice(0, 3), whole[3]!.slice(0, 20), ...whole.slice(4), ''].join('\n'),
  });
  expect(said).toMatch(/middle\/events\.jsonl is damaged, and what follows is missing: .*:4: the line is no JSON/);
});

test('a folder without events, a copy and a copy that was cut short', async () => {
  await using files = await project();
  const at = (name: string) => join(files.folder, name);
  await mkdir(at('parts/second'));
  await writeFile(at('parts/second/events.jsonl'), `${whole.join('\n')}\n`);
  for (const name of ['copy', 'short']) {
    await mkdir(at(`parts/${name}`));
    await copyFile(at('parts/second/events.jsonl'), at(`parts/${name}/events.jsonl`));
  }
  await truncate(at('parts/short/events.jsonl'), whole.join('\n').length - 30);
  const copied = await merge(files.folder, 'parts', '--plan', 'plan.json');
  expect(copied.exitCode, copied.stderr).toBe(0);
  expect(copied.stderr).toMatch(/parts\/short\/events\.jsonl is left out: .* is a longer copy of the same run/);

  await mkdir(at('empty'));
  const empty = await merge(files.folder, 'parts', 'empty', 'nowhere');
  expect(empty.exitCode, empty.stderr).toBe(4);
  expect(empty.stderr).toMatch(/empty is left out: there is no events\.jsonl in it/);
  expect(empty.stderr).toMatch(/nowhere is left out: ENOENT/);
  await mkdir(at('parts/cut/cells'), { recursive: true });
  expect((await merge(files.folder, 'parts')).stderr).toMatch(/parts\/cut is left out: it is the folder of a run/);

  const none = await merge(files.folder, 'empty');
  expect([none.exitCode, none.stderr]).toEqual([2, expect.stringContaining('cannot merge empty')]);
});
