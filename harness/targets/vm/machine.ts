import { z } from 'zod';
import { InfraError } from '../../base/errors.ts';
import { hostTimeOf } from '../../base/host-time.ts';
import { isAlive } from '../../base/process.ts';
import { retryUntil } from '../../base/time.ts';
import { factsField, identityField, parseHandle, portsField } from '../handle.ts';
import { endpointOf, filesBy } from '../shared/by-commands.ts';
import { consoleSize, consoleTail, followConsole, SSH_LISTENS } from '../shared/console.ts';
import { addressField, closeSsh, execSsh, openSsh, shellArguments } from '../shared/ssh-connection.ts';
import { forwardSocket } from '../shared/ssh-socket.ts';
import { connectFrom } from '../shared/ssh-stream.ts';
import type { Capability, Target } from '../target.ts';
import { openQmp } from './qmp.ts';

/** Everything that another process needs to use a machine, and `gc` to remove it. */
const vmHandle = identityField.extend({
  kind: z.literal('vm'),
  ssh: addressField,
  /** Port of the guest to port on 127.0.0.1. */
  ports: portsField,
  consoleFile: z.string(),
  /** A QMP socket for users of the machine; its owner has another. */
  controlSocket: z.string(),
  facts: factsField,
  /** Milliseconds within which it has to boot. */
  bootDeadlineMs: z.number(),
});
export type VmHandle = Readonly<z.output<typeof vmHandle>>;

/** The capabilities of every QEMU machine, whatever its architecture. */
export const VM_CAPABILITIES: readonly Capability[] = ['system', 'root', 'power', 'network', 'cluster'];

/** A running machine, usable by any process that has its handle. Disposal does not end it. */
export function useMachine(handle: VmHandle, died: Promise<Error>): Target {
  const exec: Target['exec'] = (argv, options) => execSsh(handle.ssh, argv, options);
  const target: Target = {
    facts: handle.facts,
    handle,
    can: VM_CAPABILITIES,
    died,
    exec,
    ...filesBy(exec),
    forward: async (port) => endpointOf(handle.ports, port),
    socket: (path) => forwardSocket(handle.ssh, path),
    connect: (host, port) => connectFrom(handle.ssh, host, port),
    power: {
      async off() {
        using qmp = await openQmp(handle.controlSocket, { deadlineMs: 5000 });
        // The guest disappears in mid-operation; its connections die with it.
        await qmp.execute('stop');
        await closeSsh(handle.ssh);
      },
      async isOff() {
        using qmp = await openQmp(handle.controlSocket, { deadlineMs: 5000 });
        const { running } = await qmp.execute<{ running: boolean }>('query-status');
        return !running;
      },
      async on() {
        const from = await consoleSize(handle.consoleFile);
        using qmp = await openQmp(handle.controlSocket, { deadlineMs: 5000 });
        await qmp.execute('system_reset');
        await qmp.execute('cont');
        await connectWhenListening(handle, from, AbortSignal.timeout(handle.bootDeadlineMs));
      },
    },
    hostTime: () => hostTimeOf(handle.pid),
    consoleTail: (lines = 50) => consoleTail(handle.consoleFile, lines),
    enter: (command, terminal) => ['ssh', ...shellArguments(handle.ssh, command, terminal)],
    leave() {},
    async [Symbol.asyncDispose]() {},
  };
  return target;
}

/**
 * Waits until the guest's console says that SSH listens, then opens the kept connection.
 * @param from offset in the console file: earlier output is of an earlier boot.
 * @param onLine each console line on the way.
 */
export async function connectWhenListening(
  handle: VmHandle,
  from: number,
  signal: AbortSignal,
  onLine: (line: string) => void = () => {},
): Promise<void> {
  let listens = false;
  for await (const line of followConsole(handle.consoleFile, signal, from)) {
    onLine(line);
    if (SSH_LISTENS.test(line)) {
      listens = true;
      break;
    }
  }
  if (!listens)
    throw new InfraError('cannot reach the guest: it did not start its SSH server in time', {
      consoleTail: await consoleTail(handle.consoleFile, 50),
    });
  await retryUntil(() => openSsh(handle.ssh, handle.bootDeadlineMs, signal), {
    deadlineMs: handle.bootDeadlineMs,
    everyMs: 200,
    signal,
  });
}

/** The machine of a handle from another process, or undefined when its QEMU is gone. */
export async function reconnectVm(handle: unknown): Promise<Target | undefined> {
  const vm = parseHandle(vmHandle, handle);
  if (!isAlive(vm)) return undefined;
  // Its owner watches the machine and ends its users.
  return useMachine(vm, new Promise(() => {}));
}
