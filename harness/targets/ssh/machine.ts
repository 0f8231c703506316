import { rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { InfraError } from '../../base/errors.ts';
import { exists } from '../../base/files.ts';
import { retryUntil } from '../../base/time.ts';
import { bmcOf, switchPower } from '../../bmc/bmc.ts';
import type { PowerSpec } from '../../bmc/spec.ts';
import { capabilitiesField, factsField, parseHandle, portsField } from '../handle.ts';
import { endpointOf, filesBy } from '../shared/by-commands.ts';
import { addressField, checkSsh, closeSsh, execSsh, shellArguments } from '../shared/ssh-connection.ts';
import { forwardSocket } from '../shared/ssh-socket.ts';
import { connectFrom } from '../shared/ssh-stream.ts';
import type { Target } from '../target.ts';
import { rootSockets } from './relay.ts';

const argv = z.array(z.string()).readonly();
const login = { user: z.string(), passwordFile: z.string() };

/** A {@link PowerSpec}, as another process reads it. */
const powerField: z.ZodType<PowerSpec> = z.union([
  z.object({ off: argv, on: argv }),
  z.object({
    ...{ redfish: z.string(), ...login },
    system: z.string().optional(),
    ca: z.string().optional(),
    fingerprint: z.string().optional(),
  }),
  z.object({ ipmi: z.string(), ...login, port: z.number().optional(), cipher: z.number().optional() }),
]);

/** Everything that another process needs to use a machine over the connection that its owner keeps. */
export const sshHandle = z.object({
  kind: z.enum(['ssh', 'command']),
  address: addressField,
  /** Before each command. */
  asRoot: z.array(z.string()).readonly(),
  ports: portsField,
  facts: factsField,
  can: capabilitiesField,
  /** The folder on the machine in which changes are recorded. */
  undoFolder: z.string(),
  power: powerField.exactOptional(),
  /** A file that exists from when the power is cut until the owner has connected again. */
  poweredOff: z.string(),
  /** A file that exists once the owner has kept the machine, with its changes, for others to inspect. */
  left: z.string().exactOptional(),
  /** Milliseconds within which it must be back after a power cut. */
  bootDeadlineMs: z.number(),
});
export type SshHandle = Readonly<z.output<typeof sshHandle>>;

/** A machine as seen by any process that has its handle. Disposal does not release it. */
export function useSshMachine(handle: SshHandle, died: Promise<Error>): Target {
  const { address, asRoot, power } = handle;
  const exec: Target['exec'] = (argv, options) => execSsh(address, [...asRoot, ...argv], options);
  const socket: Target['socket'] =
    asRoot.length > 0 ? rootSockets(address, asRoot) : (path) => forwardSocket(address, path);
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
    connect: (host, port) => connectFrom(address, host, port),
    ...(power
      ? {
          power: {
            async off() {
              await writeFile(handle.poweredOff, '');
              await switchPower(bmcOf(power), 'off');
              // A connection does not notice that the other end is gone; its owner learns why it ended.
              await closeSsh(address);
            },
            async on() {
              await switchPower(bmcOf(power), 'on');
              await retryUntil(() => assertBack(handle), { deadlineMs: handle.bootDeadlineMs, everyMs: 200 });
            },
          },
        }
      : {}),
    // A real machine's console cannot be read.
    consoleTail: async () => [],
    enter: (command, terminal) => ['ssh', ...shellArguments(address, command, terminal)],
    leave() {},
    async [Symbol.asyncDispose]() {},
  };
}

async function assertBack({ poweredOff, address }: SshHandle): Promise<void> {
  if (await exists(poweredOff)) throw new InfraError(`${address.name} did not come back after its power was cut`);
}

/** Removes the file that says that the power was cut: the owner is connected again. */
export async function markBack({ poweredOff }: SshHandle): Promise<void> {
  await rm(poweredOff, { force: true });
}

/** The machine of a handle from another process, or undefined when its owner's connection is gone. */
export async function reconnectOwned(handle: SshHandle): Promise<Target | undefined> {
  return (await checkSsh(handle.address)) ? useSshMachine(handle, new Promise(() => {})) : undefined;
}

/** Exits with 0 if changes are still recorded and nobody uses the machine. */
const STILL_CHANGED = '[ -e "$1/undo" ] && exec 9>>"$1.lock" && flock -n 9';
/** Deadline for that command, in milliseconds. */
const ASK_MS = 60_000;

/**
 * The machine of a handle from another process: over its owner's connection or, where the owner has left the machine to others
 * (`--keep`), over a connection of its own. Undefined when it is gone or was restored.
 */
export async function reconnectSsh(handle: unknown): Promise<Target | undefined> {
  const ssh = parseHandle(sshHandle, handle);
  const owned = await reconnectOwned(ssh);
  if (owned || ssh.left === undefined || !(await exists(ssh.left))) return owned;
  const { onlyKept: _, ...address } = ssh.address;
  const target = useSshMachine({ ...ssh, address }, new Promise(() => {}));
  const asked = await target.exec(['sh', '-c', STILL_CHANGED, 'ask', ssh.undoFolder], { deadlineMs: ASK_MS });
  return asked.exitCode === 0 ? target : undefined;
}
