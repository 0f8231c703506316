import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, readlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Arch } from '../../arch/index.ts';
import type { Barrier } from '../../base/barrier.ts';
import { InfraError } from '../../base/errors.ts';
import { run } from '../../base/process.ts';
import { retryUntil } from '../../base/time.ts';
import type { Qemu } from './qemu.ts';

/**
 * What a snapshot of a machine consists of, in its folder. The memory is a file that a resumed machine maps privately:
 * nothing is copied, pages are read when they are touched, and any number of machines share them. QEMU's own stream then
 * holds devices and processors only, a few MB (`x-ignore-shared`).
 */
export const SNAPSHOT_FILES = { memory: 'memory', devices: 'devices', disk: 'disk.qcow2' } as const;

/** Raised when the content of a snapshot, or the work after a resume, changes. */
export const SNAPSHOT_FORMAT = 1;

/** Milliseconds to a saved machine's next timer, if timers are lost: until then it must get an interrupt. */
const REST_MS = 50;

/** Milliseconds for QEMU to write or read its stream, which has only devices: a second is much. */
const STREAM_MS = 30_000;

/** Milliseconds to check whether a broken stream had been read completely. */
const BROKEN_MS = 5000;

/**
 * Saves a running machine whose memory is shared (`MachineSpec.memory`). It is stopped meanwhile, and continues whether
 * that succeeds or not.
 * @param place the machine's disk, the folder to save to, and a path for a socket.
 */
export async function saveMachine(
  qemu: Qemu,
  arch: Arch,
  place: { readonly overlay: string; readonly folder: string; readonly socket: string },
  together?: Barrier,
): Promise<void> {
  try {
    await stopAtRest(qemu, arch);
    await together?.arrive();
    await saveStopped(qemu, place.overlay, place.folder, place.socket);
    await together?.arrive();
  } finally {
    await qemu.qmp.execute('cont');
  }
}

/** Stops the machine; if timers are lost on the way, at a moment when the next one is far away. */
async function stopAtRest({ qmp }: Qemu, { qemu: { lostTimer } }: Arch): Promise<void> {
  if (!lostTimer) return void (await qmp.execute('stop'));
  await retryUntil(
    async () => {
      await qmp.execute('stop');
      const registers = await qmp.execute<string>('human-monitor-command', { 'command-line': 'info registers' });
      const left = Number(lostTimer.register.exec(registers)?.[1]) / lostTimer.ticksPerMs;
      // A timer that has already gone off shows as a negative number in 64 bits, far beyond an hour.
      if (left >= REST_MS && left < 3_600_000) return;
      await qmp.execute('cont');
      throw new InfraError(`cannot save the machine: it never rests for ${REST_MS} ms`);
    },
    { deadlineMs: 10_000, everyMs: 7 },
  );
}

async function saveStopped(qemu: Qemu, overlay: string, folder: string, socket: string): Promise<void> {
  const { qmp } = qemu;
  await ignoreShared(qemu);
  const devices = await receive(socket, join(folder, SNAPSHOT_FILES.devices));
  try {
    await qmp.execute('migrate', { uri: `unix:${socket}` });
    await retryUntil(() => migrated(qemu, 'save'), { deadlineMs: STREAM_MS, everyMs: 10 });
    await devices.written;
  } finally {
    devices.server.close();
  }
  const copy = (from: string, to: string) =>
    run(['cp', '--sparse=always', '--reflink=auto', from, join(folder, to)], { purpose: `save the machine's ${to}` });
  await Promise.all([
    copy(await memoryOf(qemu.identity.pid), SNAPSHOT_FILES.memory),
    copy(overlay, SNAPSHOT_FILES.disk),
  ]);
}

/** Loads a snapshot into a QEMU that waits for a machine's state (`MachineSpec.memory`). The machine is stopped then. */
export async function loadMachine(qemu: Qemu, folder: string, socket: string): Promise<void> {
  const { qmp } = qemu;
  await ignoreShared(qemu);
  await qmp.execute('migrate-incoming', { uri: `unix:${socket}` });
  // QEMU closes the stream at its end, on a busy host before we do, so ask it whether it has everything.
  const broken: unknown = await pipeline(createReadStream(join(folder, SNAPSHOT_FILES.devices)), connect(socket)).then(
    () => undefined,
    (cause) => cause,
  );
  await retryUntil(
    async () => {
      const { status } = await qmp.execute<{ status: string }>('query-status');
      if (status === 'inmigrate') throw new InfraError('cannot resume the machine: QEMU does not finish loading it');
    },
    { deadlineMs: broken ? BROKEN_MS : STREAM_MS, everyMs: 5 },
  ).catch((error: unknown) => {
    if (!broken) throw error;
    throw new InfraError('cannot resume the machine: its state cannot be read to the end', { cause: broken });
  });
  await migrated(qemu, 'resume');
}

async function ignoreShared({ qmp }: Qemu): Promise<void> {
  await qmp.execute('migrate-set-capabilities', { capabilities: [{ capability: 'x-ignore-shared', state: true }] });
}

/** A failed migration is never retried in the same QEMU, which is known to crash. */
async function migrated({ qmp }: Qemu, verb: string): Promise<void> {
  const { status, 'error-desc': why } = await qmp.execute<{ status?: string; 'error-desc'?: string }>('query-migrate');
  if (status === 'completed' || (verb === 'resume' && status === undefined)) return;
  throw new InfraError(
    `cannot ${verb} the machine: QEMU's migration is ${status ?? 'not begun'}${why ? `: ${why}` : ''}`,
  );
}

/** Writes data sent to our socket to a file: QEMU's sandbox does not let it start a process for that. */
async function receive(socket: string, file: string): Promise<{ server: Server; written: Promise<void> }> {
  const { promise: written, resolve, reject } = Promise.withResolvers<void>();
  written.catch(() => {});
  const server = createServer((connection) => {
    server.close();
    pipeline(connection, createWriteStream(file)).then(resolve, reject);
  });
  await new Promise<void>((listening, failed) => server.once('error', failed).listen(socket, listening));
  return { server, written };
}

/**
 * The machine's memory as a file, anonymous to everybody except its QEMU, so that it always disappears with it, and
 * does not depend on the size of /dev/shm.
 */
async function memoryOf(pid: number): Promise<string> {
  for (const name of await readdir(`/proc/${pid}/fd`)) {
    const path = `/proc/${pid}/fd/${name}`;
    if ((await readlink(path).catch(() => '')).startsWith('/memfd:memory-backend-memfd')) return path;
  }
  throw new InfraError("cannot save the machine: QEMU's memory is not a file");
}
