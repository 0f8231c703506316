import { setTimeout as delay } from 'node:timers/promises';
import { EmulatorError, InfraError } from '../../base/errors.ts';
import { isStopped, type ProcessIdentity } from '../../base/process.ts';
import { consoleTail, fatalMeaning, followConsole, PANICKED } from '../shared/console.ts';
import type { Io } from '../target.ts';
import { type MachineSpec, qemuArguments } from './arguments.ts';
import { endOf, launchQemu } from './launch.ts';
import { openQmp, type Qmp, type QmpEvent } from './qmp.ts';

/** A running QEMU, and the fate of it and of its guest. */
export interface Qemu {
  readonly identity: ProcessIdentity;
  readonly qmp: Qmp;
  /** Port of the guest to port on 127.0.0.1. */
  readonly ports: Readonly<Record<string, number>>;
  /** Resolves with the reason if guest or emulator ends unexpectedly. Never rejects. */
  readonly died: Promise<Error>;
  /** `work`, or the reason if the machine dies while waiting for it. */
  alive<T>(work: Promise<T>): Promise<T>;
  /** From now on a suite may restart its guest: resets are no longer a boot loop. */
  booted(): void;
  /** Ends it, as a power cut would. */
  end(): Promise<void>;
  /** Lets this process exit while the machine continues. */
  leave(): void;
}

/** Guest-initiated resets before the first answer that count as a boot loop. */
const BOOT_LOOP = 3;

/** Milliseconds between checks whether QEMU is stopped, and the number of consecutive ones that prove it. */
const STOPPED_LOOK_MS = 1000;
const STOPPED_LOOKS = 3;

/** Starts QEMU, registers it, and watches process, events and console until it is ended or left. */
export async function startQemu(spec: MachineSpec, cell: string, io: Io): Promise<Qemu> {
  const argv = qemuArguments(spec);
  const launched = await launchQemu(argv, cell, io);
  const { child, identity } = launched;

  const watch = new AbortController();
  const { promise: died, resolve: die } = Promise.withResolvers<Error>();
  let expected = false;
  let resets = 0;
  const fate = async (message: string, type: typeof InfraError | typeof EmulatorError = InfraError) => {
    const said = await launched.said();
    die(
      new type(message, {
        consoleTail: await consoleTail(spec.consoleFile, 50),
        ...(said.length > 0 ? { cause: said.join('\n') } : {}),
      }),
    );
  };
  const onEvent = ({ event, data }: QmpEvent) => {
    if (expected) return;
    const meaning = eventMeaning({ event, data });
    if (meaning !== undefined) fate(`cannot go on with the guest: ${meaning}`);
    if (event === 'RESET' && data['guest'] === true) {
      resets += 1;
      if (resets === BOOT_LOOP) fate(`cannot boot the guest: it restarted itself ${BOOT_LOOP} times (a boot loop)`);
    }
  };
  void child.ended.then((ended) => {
    if (expected) return;
    const { how, crashed } = endOf(ended);
    return fate(`cannot go on with the guest: QEMU is gone, ${how}`, crashed ? EmulatorError : InfraError);
  });
  void (async () => {
    for await (const line of followConsole(spec.consoleFile, watch.signal)) {
      const meaning = fatalMeaning(line);
      if (meaning !== undefined && !expected) return fate(`cannot go on with the guest: ${meaning}`);
    }
  })();
  void (async () => {
    for (let stopped = 0; !watch.signal.aborted; ) {
      await delay(STOPPED_LOOK_MS, undefined, { signal: watch.signal, ref: false }).catch(() => {});
      stopped = isStopped(identity) ? stopped + 1 : 0;
      // It has its own process group, so no terminal stops it, and we use no debugger.
      if (stopped === STOPPED_LOOKS && !expected)
        return fate('cannot go on with the guest: QEMU is stopped: something sent its process SIGSTOP');
    }
  })();
  const alive = <T>(work: Promise<T>): Promise<T> =>
    Promise.race([
      work,
      died.then((error) => {
        throw error;
      }),
    ]);
  const end = async () => {
    expected = true;
    watch.abort();
    // A throw-away machine is killed, not shut down. setpriv has become QEMU: the pid is the same.
    child.kill('SIGKILL');
    await child.ended;
  };

  try {
    const qmp = await alive(openQmp(spec.qmpSocket, { deadlineMs: 10_000, onEvent, signal: io.signal }));
    const usernet = await alive(qmp.execute<string>('human-monitor-command', { 'command-line': 'info usernet' }));
    return {
      identity,
      qmp,
      ports: forwardedPorts(usernet),
      died,
      alive,
      booted() {
        resets = Number.NEGATIVE_INFINITY;
      },
      end,
      leave() {
        expected = true;
        watch.abort();
        qmp[Symbol.dispose]();
        child.unref();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/**
 * The guest's fate according to an event, or undefined. A pseries guest that panics tells its hypervisor, which ends
 * it: the event may arrive before its console is read.
 */
export function eventMeaning({ event, data }: QmpEvent): string | undefined {
  if (event === 'BLOCK_IO_ERROR') return data['nospace'] === true ? 'the disk of this host is full' : undefined;
  if (event === 'GUEST_PANICKED') return PANICKED;
  if (event !== 'SHUTDOWN') return undefined;
  return data['reason'] === 'guest-panic' ? PANICKED : 'it switched itself off';
}

/** Parses `info usernet`: the port of 127.0.0.1 for each forwarded one. */
export function forwardedPorts(text: string): Record<string, number> {
  const ports: Record<string, number> = {};
  for (const [, local, guest] of text.matchAll(/TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s+\S+\s+(\d+)/g))
    ports[guest!] = Number(local);
  return ports;
}
