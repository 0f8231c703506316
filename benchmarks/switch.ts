import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLan } from '../harness/net/lan.ts';

/**
 * `npm run bench:switch`: throughput of the LAN between two local sockets. This one process also writes and reads at
 * both ends, so the switch alone is faster than the printed figure.
 */
const SECONDS = 3;
const folder = await mkdtemp(join(tmpdir(), 'harness-bench-lan-'));
const lan = createLan();
const plugIn = async (name: string): Promise<Socket> => {
  const path = join(folder, name);
  await lan.plug(name, path);
  const socket = connect(path);
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
};
const [sender, receiver] = [await plugIn('sender'), await plugIn('receiver')];
process.stdout.write('| frame | forwarded | frames a second |\n|---|---:|---:|\n');
for (const length of [64, 1514, 9014]) {
  const frame = Buffer.alloc(4 + length);
  frame.writeUInt32BE(length);
  frame.fill(0xff, 4, 10);
  const burst = Buffer.concat(Array.from({ length: Math.ceil(65_536 / frame.length) }, () => frame));
  let bytes = 0;
  const count = (chunk: Buffer) => {
    bytes += chunk.length;
  };
  receiver.on('data', count);
  const end = performance.now() + SECONDS * 1000;
  while (performance.now() < end) {
    if (!sender.write(burst)) await new Promise((resolve) => sender.once('drain', resolve));
  }
  receiver.off('data', count);
  const frames = bytes / frame.length / SECONDS;
  const mbits = (frames * length * 8) / 1e6;
  process.stdout.write(
    `| ${length} bytes | ${mbits.toFixed(0)} Mbit/s | ${Math.round(frames).toLocaleString('en-GB')} |\n`,
  );
}
sender.destroy();
receiver.destroy();
await lan[Symbol.asyncDispose]();
await rm(folder, { recursive: true });
