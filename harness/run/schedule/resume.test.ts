import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadRun } from '../../events/load-run.ts';
import type { RunResult } from '../../events/result.ts';
import { passes, reports, runInMemory } from '../../testing/memory-run.ts';
import type { RunSuite } from '../suite/suite-process.ts';

/** Passes, but in the second cell, where one of two tests fails. */
const suite: RunSuite = (options) =>
  options.context.cell.startsWith('arm64') ? reports('passed', 'failed')(options) : passes(options);

const arch = ['amd64', 'arm64', 'ppc64le'] as const;
const given = { arch, runSuite: suite, run: { jobs: 2 } };

/** A result without what differs between any two runs: times, the run's name, how much of it there was at once. */
function timeless(result: RunResult): unknown {
  return JSON.parse(
    JSON.stringify(result, (key, value: unknown) =>
      ['startedAt', 'durationMs', 'run', 'jobsReason'].includes(key) ? undefined : value,
    ),
  );
}

/** The names of the cells that have no result. */
function left(result: RunResult): string[] {
  return result.cells.filter(({ verdict }) => verdict === 'incomplete').map(({ name }) => name);
}

test('a run that was killed after any of its events, or in the middle of one, comes to what it would have come to', async () => {
  await using whole = await runInMemory(given);
  const file = join(whole.folder, 'events.jsonl');
  const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1);
  const expected = timeless(await loadRun(whole.folder));
  expect(lines.length).toBeGreaterThan(40);
  for (let count = 1; count < lines.length; count += 3) {
    const torn = lines[count]!.slice(0, count % 2 === 0 ? 0 : lines[count]!.length / 2);
    await writeFile(file, `${lines.slice(0, count).join('\n')}\n${torn}`);
    const missing = left(await loadRun(whole.folder));
    const again = await runInMemory({
      ...given,
      place: whole.place,
      only: missing,
      run: { ...given.run, resume: { folder: whole.folder, all: [] } },
    });
    const result = await loadRun(whole.folder);
    expect(timeless(result), `killed after ${count} events`).toEqual(expected);
    expect(again.exitCode).toBe(whole.exitCode);
    expect(again.leases).toEqual([]);
    // What had a result has not run again.
    const ran = again.provider.machines.map(({ spec }) => spec.cell).sort();
    expect(ran).toEqual([...missing].sort());
  }
});
