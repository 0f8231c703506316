import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { retryUntil } from '../base/time.ts';
import { FrameReader } from './frames.ts';
import { createLan, type Lan } from './lan.ts';

let folder: string;
let lan: Lan;
let stations: Station[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'harness-lan-'));
  lan = createLan(() => 0.5);
  stations = [];
});
afterEach(async () => {
  for (const { socket } of stations) socket.destroy();
  await lan[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

interface Station {
  readonly socket: Socket;
  readonly heard: string[];
  send(to: string, text: string): void;
}

/** An Ethernet frame with its length in front. */
function frame(to: string, from: string, text: string): Buffer {
  const address = (mac: string) => Buffer.from(mac.replaceAll(':', ''), 'hex');
  const body = Buffer.concat([address(to), address(from), Buffer.from([0x88, 0xb5]), Buffer.from(text)]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

const EVERYBODY = 'ff:ff:ff:ff:ff:ff';
const mac = (name: string) => `52:54:00:00:00:0${name.slice(1)}`;

async function station(name: string): Promise<Station> {
  const path = join(folder, name);
  await lan.plug(name, path);
  const socket = connect(path);
  const heard: string[] = [];
  const reader = new FrameReader();
  socket.on('data', (chunk: Buffer) => {
    for (const bytes of reader.push(chunk)) heard.push(bytes.subarray(18).toString());
  });
  await new Promise((resolve) => socket.once('connect', resolve));
  const made = { socket, heard, send: (to: string, text: string) => void socket.write(frame(to, mac(name), text)) };
  stations.push(made);
  return made;
}

const settle = (check: () => void) => retryUntil(async () => check(), { deadlineMs: 30_000, everyMs: 5 });

test('frames go to all stations until an address is known, then to its station only', async () => {
  const [n1, n2, n3] = [await station('n1'), await station('n2'), await station('n3')];
  n1.send(mac('n2'), 'who is n2');
  await settle(() => expect([n2.heard, n3.heard]).toEqual([['who is n2'], ['who is n2']]));
  n2.send(mac('n1'), 'I am');
  await settle(() => expect(n1.heard).toEqual(['I am']));
  n1.send(mac('n2'), 'for you');
  n1.send(EVERYBODY, 'for all');
  await settle(() => {
    expect(n2.heard).toEqual(['who is n2', 'for you', 'for all']);
    expect(n3.heard).toEqual(['who is n2', 'for all']);
  });
  expect(n1.heard).toEqual(['I am']);
});

test('a partition keeps groups apart until it is healed', async () => {
  const [n1, n2, n3] = [await station('n1'), await station('n2'), await station('n3')];
  lan.partition(['n1'], ['n2', 'n3']);
  n1.send(EVERYBODY, 'lost');
  n2.send(EVERYBODY, 'heard by n3');
  await settle(() => expect(n3.heard).toEqual(['heard by n3']));
  await settle(() => expect(lan.counters()).toMatchObject({ n1: { cut: 1 }, n2: { cut: 1 }, n3: { cut: 1 } }));
  expect([n1.heard, n2.heard]).toEqual([[], []]);
  lan.heal();
  n1.send(EVERYBODY, 'again');
  await settle(() => expect([n2.heard, n3.heard]).toEqual([['again'], ['heard by n3', 'again']]));
  expect(() => lan.partition(['n1'], ['n4'])).toThrow('cannot cut n4 off: the LAN has n1, n2, n3');
});

test('delay, loss and bandwidth of a cable are applied', async () => {
  const [n1, n2] = [await station('n1'), await station('n2')];
  lan.impair('n2', { delayMs: 80 });
  const sent = performance.now();
  n1.send(EVERYBODY, 'late');
  await settle(() => expect(n2.heard).toEqual(['late']));
  expect(performance.now() - sent).toBeGreaterThan(79);

  lan.impair('n2', { loss: 0.6 });
  n1.send(EVERYBODY, 'lost');
  await settle(() => expect(lan.counters()['n2']?.lost).toBe(1));
  lan.impair('n2', { loss: 0.4 });
  n1.send(EVERYBODY, 'not lost');
  await settle(() => expect(n2.heard).toEqual(['late', 'not lost']));

  // Ten frames of 1014 bytes at 400 kbit/s take about 200 ms, and stay in order.
  lan.impair('n2', { bitsPerSecond: 400_000 });
  const begun = performance.now();
  for (let index = 0; index < 10; index++) n1.send(EVERYBODY, String(index).padEnd(1000, '.'));
  await settle(() => expect(n2.heard).toHaveLength(12));
  expect(performance.now() - begun).toBeGreaterThan(195);
  expect(n2.heard.slice(2).map((text) => text[0])).toEqual([...'0123456789']);
});

test('a station that does not read loses its frames without stalling others', async () => {
  const [n1, n2, n3] = [await station('n1'), await station('n2'), await station('n3')];
  n2.socket.pause();
  const text = 'x'.repeat(1400);
  for (let round = 0; round < 40; round++) {
    for (let index = 0; index < 250; index++) n1.send(EVERYBODY, text);
    await delay(1);
  }
  await settle(() => expect(n3.heard).toHaveLength(10_000));
  expect(lan.counters()['n2']!.dropped).toBeGreaterThan(1000);
  expect(lan.counters()['n3']!.dropped).toBe(0);
});

test('a station that reconnects gets its place back', async () => {
  const [n1, n2] = [await station('n1'), await station('n2')];
  n2.socket.destroy();
  const heard: string[] = [];
  const again = connect(join(folder, 'n2'));
  stations.push({ socket: again, heard, send() {} });
  const reader = new FrameReader();
  again.on('data', (chunk: Buffer) => heard.push(...reader.push(chunk).map((bytes) => bytes.subarray(18).toString())));
  await settle(() => {
    n1.send(EVERYBODY, 'welcome');
    expect(heard).toContain('welcome');
  });
});

test('nonsense closes only the connection of its sender', async () => {
  const [n1, n2, n3] = [await station('n1'), await station('n2'), await station('n3')];
  const ended = new Promise((resolve) => n1.socket.once('close', resolve));
  n1.socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2, 3]));
  await ended;
  n2.send(EVERYBODY, 'on we go');
  await settle(() => expect(n3.heard).toEqual(['on we go']));
});

test('the frames of a stream do not depend on how it is split', () => {
  const texts = fc.array(fc.string({ maxLength: 200 }), { maxLength: 20 });
  fc.assert(
    fc.property(texts, fc.array(fc.nat(500), { maxLength: 30 }), (sent, cuts) => {
      const stream = Buffer.concat(sent.map((text) => frame(EVERYBODY, mac('n1'), text)));
      const reader = new FrameReader();
      const heard: string[] = [];
      let at = 0;
      for (const length of [...cuts, stream.length]) {
        const piece = stream.subarray(at, at + length);
        at += piece.length;
        for (const bytes of reader.push(piece)) heard.push(bytes.subarray(18).toString());
      }
      expect(heard).toEqual(sent.map((text) => Buffer.from(text).toString()));
    }),
  );
});
