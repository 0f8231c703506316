import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openQmp, type QmpEvent } from './qmp.ts';

let folder: string;
let server: Server | undefined;
const sockets: Socket[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'harness-qmp-'));
});
afterEach(async () => {
  server?.close();
  server = undefined;
  await rm(folder, { recursive: true, force: true });
});

interface Request {
  execute: string;
  id: number;
}

/** A peer that greets as QEMU does and answers by `answer`. */
function serve(path: string, answer: (request: Request, socket: Socket) => void): void {
  server = createServer((socket) => {
    sockets.push(socket);
    socket.write('{"QMP": {"version": {}}}\r\n');
    createInterface({ input: socket }).on('line', (line) => {
      const request = JSON.parse(line) as Request;
      if (request.execute === 'qmp_capabilities') socket.write(`{"return": {}, "id": ${request.id}}\r\n`);
      else answer(request, socket);
    });
  }).listen(path);
}

test('answers are matched with requests, in any order, with events between them', async () => {
  const path = join(folder, 'qmp');
  const events: QmpEvent[] = [];
  const held: Request[] = [];
  serve(path, (request, socket) => {
    held.push(request);
    if (held.length < 2) return;
    socket.write('{"event": "RESET", "data": {"guest": true}}\r\n');
    for (const { execute, id } of held.reverse()) socket.write(`{"return": "${execute}", "id": ${id}}\r\n`);
  });
  using qmp = await openQmp(path, { deadlineMs: 30_000, onEvent: (event) => void events.push(event) });
  expect(await Promise.all([qmp.execute('one'), qmp.execute('two')])).toEqual(['one', 'two']);
  expect(events).toEqual([{ event: 'RESET', data: { guest: true } }]);
});

test('a refusal names the command and the reason; if QEMU disappears, nobody is left waiting', async () => {
  const path = join(folder, 'qmp');
  serve(path, ({ execute, id }, socket) => {
    if (execute === 'quit') socket.destroy();
    else socket.write(`{"error": {"class": "GenericError", "desc": "not now"}, "id": ${id}}\r\n`);
  });
  using qmp = await openQmp(path, { deadlineMs: 30_000 });
  await expect(qmp.execute('stop')).rejects.toThrow('cannot run QMP stop: not now');
  await expect(qmp.execute('quit')).rejects.toThrow('cannot run QMP quit: QEMU went away');
  await qmp.closed;
  await expect(qmp.execute('stop')).rejects.toThrow('cannot run QMP stop: QEMU went away');
});

test('if QEMU dies before reading a request, the request fails, not this process', async () => {
  const path = join(folder, 'qmp');
  serve(path, (_, socket) => socket.pause());
  using qmp = await openQmp(path, { deadlineMs: 30_000 });
  const asked = [qmp.execute('one'), ...Array.from({ length: 9 }, () => qmp.execute('x'.repeat(100_000)))];
  // What is not read when the other end is destroyed resets the connection.
  for (const socket of sockets) socket.destroy();
  const ended = await Promise.allSettled(asked);
  expect(ended.map(({ status }) => status)).toEqual(Array(10).fill('rejected'));
});

test('a missing socket is an error within the deadline', async () => {
  await expect(openQmp(join(folder, 'none'), { deadlineMs: 50 })).rejects.toThrow(
    'cannot reach QEMU: its control socket does not answer',
  );
});
