import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { parseEvents, readEvents } from './reader.ts';
import type { HarnessEvent, StoredEvent } from './types.ts';
import { openEventLog } from './writer.ts';

let file: string;
beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'events-'));
  file = join(folder, 'run', 'events.jsonl');
  return () => rm(folder, { recursive: true, force: true });
});

const now = () => new Date('2026-01-02T03:04:05.678Z');
const log = (message: string): HarnessEvent => ({ type: 'log', level: 'info', message });
const line = (seq: number, extra: object = {}) =>
  `${JSON.stringify({ ...log('x'), v: 1, seq, at: '2026-01-02T03:04:05.678Z', ...extra })}\n`;
const parse = (text: string) => parseEvents(Buffer.from(text), 'e.jsonl');

test('an event is on disk before a listener is told', async () => {
  await using events = await openEventLog(file, { now });
  const told: Promise<string>[] = [];
  events.onEvent(() => told.push(readFile(file, 'utf8')));
  const stored = await events.append(log('hello'));
  expect(stored).toEqual({
    type: 'log',
    level: 'info',
    message: 'hello',
    v: 1,
    seq: 0,
    at: '2026-01-02T03:04:05.678Z',
  });
  expect(await told[0]).toBe(`${JSON.stringify(stored)}\n`);
});

test('events appended concurrently keep their order', async () => {
  await using events = await openEventLog(file, { now });
  const told: StoredEvent[] = [];
  events.onEvent((event) => told.push(event));
  await Promise.all(Array.from({ length: 200 }, (_, index) => events.append(log(String(index)))));
  const read = await readEvents(file);
  expect(read.events.map((event) => event.type === 'log' && event.message)).toEqual(
    Array.from({ length: 200 }, (_, i) => String(i)),
  );
  expect(told).toEqual(read.events);
});

test('listeners get exactly what is read back, whatever a guest printed', async () => {
  await using events = await openEventLog(file, { now });
  const told: StoredEvent[] = [];
  events.onEvent((event) => told.push(event));
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), async (message) => {
      await events.append(log(`${message}\ud800\n`));
    }),
    { numRuns: 30 },
  );
  expect((await readEvents(file)).events).toEqual(told);
  expect(told.every((event) => event.type === 'log' && event.message.isWellFormed())).toBe(true);
});

test('a listener that throws does not stop the log', async () => {
  await using events = await openEventLog(file, { now });
  let calls = 0;
  events.onEvent(() => {
    calls++;
    throw new Error('broken display');
  });
  await events.append(log('1'));
  await events.append(log('2'));
  expect(calls).toBe(1);
});

test('continuing a log cuts off a torn line and continues the numbering', async () => {
  await (async () => {
    await using events = await openEventLog(file, { now });
    await events.append(log('1'));
    await events.append(log('2'));
  })();
  const { length } = await readFile(file);
  await truncate(file, length - 3);
  expect(await readEvents(file)).toMatchObject({
    events: [{ seq: 0 }],
    notes: [expect.stringContaining('events.jsonl:2: the last line is torn')],
  });
  await using events = await openEventLog(file, { now });
  expect((await events.append(log('again'))).seq).toBe(1);
  expect((await readEvents(file)).notes).toEqual([]);
});

test('a full disk is an error for this and every later event', async () => {
  await using events = await openEventLog('/dev/full', { now });
  await expect(events.append(log('1'))).rejects.toThrow(/^cannot append to \/dev\/full: ENOSPC/);
  await expect(events.append(log('2'))).rejects.toThrow(/^cannot append to \/dev\/full: ENOSPC/);
});

test('appending to a closed log is an error', async () => {
  const events = await openEventLog(file, { now });
  await events.close();
  await expect(events.append(log('1'))).rejects.toThrow(`cannot append to ${file}: it is closed`);
});

test('errors name the file and the line', async () => {
  expect(() => parse(`${line(0)}{"v":1,\n${line(2)}`)).toThrow('cannot read e.jsonl:2: the line is no JSON');
  expect(() => parse(`${line(0)}[]\n`)).toThrow('cannot read e.jsonl:2: the line is no event');
  expect(() => parse(line(0) + line(2))).toThrow('cannot read e.jsonl:2: expected event number 1, found 2');
  expect(() => parse(line(0, { v: 2 }))).toThrow(
    'cannot read e.jsonl:1: a newer harness wrote it (events version 2, this one reads 1)',
  );
  expect(() => parse(line(0, { v: 0 }) + line(1))).toThrow(
    'cannot read e.jsonl:2: events of version 1 behind some of version 0: two streams in one file',
  );
  expect(() => parse(line(0, { at: 'yesterday' }))).toThrow('cannot read e.jsonl:1: the event has no type or no time');
  await expect(readEvents(file)).rejects.toThrow(`cannot read ${file}: ENOENT`);
});

test('a torn line may end inside a character', async () => {
  await (await openEventLog(file)).close();
  await writeFile(file, line(0));
  await appendFile(file, Buffer.from([0x7b, 0x22, 0xc3]));
  expect((await readEvents(file)).events).toHaveLength(1);
});
