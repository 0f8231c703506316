import { createInterface } from 'node:readline';
import { InfraError } from '../../base/errors.ts';
import { connectTo } from '../../base/socket.ts';
import { retryUntil } from '../../base/time.ts';

/** An event of QEMU's, for instance `SHUTDOWN` or `BLOCK_IO_ERROR`. */
export interface QmpEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A connection to QEMU's control socket. QEMU serves one connection a socket at a time. */
export interface Qmp extends Disposable {
  /** @throws InfraError if QEMU refuses the command or disappears before it answers. */
  execute<T = unknown>(command: string, args?: Record<string, unknown>): Promise<T>;
  /** Resolves when the connection is closed, by either side. */
  readonly closed: Promise<void>;
}

interface Pending {
  readonly command: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Connects to a QMP socket, waiting for QEMU to make it. */
export async function openQmp(
  path: string,
  options: { readonly deadlineMs: number; readonly onEvent?: (event: QmpEvent) => void; readonly signal?: AbortSignal },
): Promise<Qmp> {
  const socket = await retryUntil(() => connectTo(path), {
    deadlineMs: options.deadlineMs,
    everyMs: 20,
    signal: options.signal,
  }).catch((cause: unknown) => {
    throw new InfraError('cannot reach QEMU: its control socket does not answer', { cause });
  });
  const pending = new Map<number, Pending>();
  let serial = 0;
  let greeted: () => void = () => {};
  const greeting = new Promise<void>((resolve) => {
    greeted = resolve;
  });
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      for (const { command, reject } of pending.values())
        reject(new InfraError(`cannot run QMP ${command}: QEMU went away`));
      pending.clear();
      greeted();
      resolve();
    });
  });
  const lines = createInterface({ input: socket });
  // It forwards the socket's errors; `close` handles them.
  lines.on('error', () => {});
  lines.on('line', (line) => {
    const message = JSON.parse(line) as {
      QMP?: unknown;
      id?: number;
      return?: unknown;
      error?: { desc: string };
    } & Partial<QmpEvent>;
    if (message.QMP) return greeted();
    if (message.event) return options.onEvent?.({ event: message.event, data: message.data ?? {} });
    const waiting = message.id === undefined ? undefined : pending.get(message.id);
    if (!waiting || message.id === undefined) return;
    pending.delete(message.id);
    if (message.error) waiting.reject(new InfraError(`cannot run QMP ${waiting.command}: ${message.error.desc}`));
    else waiting.resolve(message.return);
  });
  const qmp: Qmp = {
    execute<T>(command: string, args?: Record<string, unknown>): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        if (socket.destroyed) return reject(new InfraError(`cannot run QMP ${command}: QEMU went away`));
        const id = ++serial;
        pending.set(id, { command, resolve: resolve as (value: unknown) => void, reject });
        socket.write(`${JSON.stringify({ execute: command, ...(args ? { arguments: args } : {}), id })}\n`);
      });
    },
    closed,
    [Symbol.dispose]() {
      socket.destroy();
    },
  };
  await greeting;
  await qmp.execute('qmp_capabilities');
  return qmp;
}
