import { rm, writeFile } from 'node:fs/promises';
import { InfraError } from '../../base/errors.ts';
import { exists } from '../../base/files.ts';
import { run } from '../../base/process.ts';
import { retryUntil } from '../../base/time.ts';
import type { TargetFacts } from '../../events/types.ts';
import { endpointOf, filesBy } from '../by-commands.ts';
import { checkSsh, closeSsh, execSsh, type SshAddress, shellArguments } from '../ssh-connection.ts';
import { forwardSocket } from '../ssh-socket.ts';
import type { Capability, Handle, Target } from '../target.ts';
import { rootSockets } from './relay.ts';

/** Everything that another process needs to use a machine over the connection that its owner keeps. */
export interface SshHandle extends Handle {
  readonly kind: 'ssh' | 'command';
  readonly address: SshAddress;
  /** Before each command. */
  readonly asRoot: readonly string[];
  readonly ports: Readonly<Record<string, number>>;
  readonly facts: TargetFacts;
  readonly can: readonly Capability[];
  /** A folder on the machine where what is changed is noted. */
  readonly undoFolder: string;
  readonly power?: { readonly off: readonly string[]; readonly on: readonly string[] };
  /** A file that is there from when the power is cut until the owner has connected again. */
  readonly poweredOff: string;
  /** Milliseconds within which it has to come back. */
  readonly bootDeadlineMs: number;
}

/** Milliseconds for a command that cuts a machine's power. */
const POWER_MS = 120_000;

/** What can be done with a machine by any process that has its handle. Disposal leaves it alone. */
export function useSshMachine(handle: SshHandle, died: Promise<Error>): Target {
  const { address, asRoot, power } = handle;
  const exec: Target['exec'] = (argv, options) => execSsh(address, [...asRoot, ...argv], options);
  const socket: Target['socket'] =
    asRoot.length > 0 ? rootSockets(address, asRoot) : (path) => forwardSocket(address, path);
  const powerCommand = async (verb: 'off' | 'on') => {
    if (!power)
      throw new InfraError(`cannot switch ${address.name} ${verb}: it has no power command`, {
        hint: '`power: { off: …, on: … }` in machines.yaml',
      });
    await run(power[verb], { purpose: `switch ${address.name} ${verb}`, timeout: POWER_MS });
  };
  return {
    facts: handle.facts,
    handle,
    can: handle.can,
    undoFolder: handle.undoFolder,
    died,
    exec,
    ...filesBy(exec),
    forward: async (port) => endpointOf(handle.ports, port),
    socket,
    async powerOff() {
      await writeFile(handle.poweredOff, '');
      await powerCommand('off');
      // A connection does not notice that the other end is gone. Its owner sees why it ended.
      await closeSsh(address);
    },
    async powerOn() {
      await powerCommand('on');
      await retryUntil(() => comesBack(handle), { deadlineMs: handle.bootDeadlineMs, everyMs: 200 });
    },
    // A real machine's console is nobody's to read.
    consoleTail: async () => [],
    enter: (command, terminal) => ['ssh', ...shellArguments(address, command, terminal)],
    leave() {},
    async [Symbol.asyncDispose]() {},
  };
}

async function comesBack({ poweredOff, address }: SshHandle): Promise<void> {
  if (await exists(poweredOff)) throw new InfraError(`${address.name} did not come back after its power was cut`);
}

/** Takes away the sign that the power was cut: the owner is connected again. */
export async function isBack({ poweredOff }: SshHandle): Promise<void> {
  await rm(poweredOff, { force: true });
}

/** The machine of a handle from another process, or undefined when its owner's connection is gone. */
export async function reconnectSsh(handle: Handle): Promise<Target | undefined> {
  const ssh = handle as SshHandle;
  if (!(await checkSsh(ssh.address))) return undefined;
  return useSshMachine(ssh, new Promise(() => {}));
}
