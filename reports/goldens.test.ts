import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { foldEvents } from '../harness/events/fold.ts';
import { readEvents } from '../harness/events/reader.ts';
import type { RunResult } from '../harness/events/result.ts';
import type { StoredEvent } from '../harness/events/types.ts';
import { openEventLog } from '../harness/events/writer.ts';
import { withoutFiles } from './fixtures/without-files.ts';
import { renderReport, reportsNamed } from './index.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
const golden = (name: string) => join(fixtures, name.replace(/^([^.]*)/, '$1.golden'));

/** `UPDATE_GOLDENS=1 npx vitest run reports/goldens.test.ts` rewrites them; read the diff. */
const update = process.env['UPDATE_GOLDENS'] === '1';

let fromFile: RunResult;
let live: RunResult;
beforeAll(async () => {
  const { events } = await readEvents(join(fixtures, 'events.jsonl'));
  fromFile = foldEvents(events);

  const told: StoredEvent[] = [];
  let now = '';
  const folder = await mkdtemp(join(tmpdir(), 'goldens-'));
  await using log = await openEventLog(join(folder, 'events.jsonl'), { now: () => new Date(now) });
  log.onEvent((event) => told.push(event));
  const appended = events.map(({ v, seq, at, ...event }) => {
    now = at;
    return log.append(event as StoredEvent);
  });
  await Promise.all(appended);
  live = foldEvents(told);
  return () => rm(folder, { recursive: true });
});

const whole = reportsNamed(['junit-strict', 'junit-non-voting']);

/** The page's styles and script have files of their own to be looked at in. */
const text = (name: string, run: RunResult) =>
  name === 'html' ? withoutFiles(String(renderReport(name, run))) : renderReport(name, run);

test.each(whole)('$path equals its golden, live and from the file', async ({ name, path }) => {
  if (update) await writeFile(golden(path), text(name, fromFile));
  const expected = await readFile(golden(path), 'utf8');
  expect(text(name, fromFile)).toBe(expected);
  expect(text(name, live)).toBe(expected);
});
