import { randomBytes } from 'node:crypto';
import { execa } from 'execa';
import { z } from 'zod';
import type { ArchName } from '../../arch/index.ts';
import { InfraError, messageOf, UnsupportedError } from '../../base/errors.ts';
import { dieWithParent, run } from '../../base/process.ts';
import { lastLines } from '../../base/text.ts';
import { retryUntil } from '../../base/time.ts';
import { noteHandle, parseHandle } from '../handle.ts';
import { describeLacks, lacking } from '../lacking.ts';
import { type MachineAddress, parseAddress } from '../ssh/address.ts';
import { lookAt } from '../ssh/look.ts';
import { reconnectOwned, reconnectSsh, sshHandle, useSshMachine } from '../ssh/machine.ts';
import { connectionOptions, type KnownMachine } from '../ssh/machines.ts';
import { acquireSsh, capabilitiesOf, offerOf } from '../ssh/provider.ts';
import type { Io, Target, TargetProvider, TargetSpec } from '../target.ts';

/** The user's three commands that make, find and release a machine. */
export interface KnownCommand {
  readonly name: string;
  readonly archs: readonly ArchName[];
  /** argv on the controller; prints `ssh://user@host:port` as its last line. */
  readonly acquire: readonly string[];
  readonly reconnect?: readonly string[] | undefined;
  readonly release: readonly string[];
  readonly tags: readonly string[];
  readonly key?: string | undefined;
  readonly sshConfig?: string | undefined;
  /** Where it was named, for errors. */
  readonly where: string;
}

/** Milliseconds for releasing a machine, or finding it again. */
const RELEASE_MS = 300_000;

/** Data for `reconnect`, beside those of every machine over ssh. */
const commandHandle = sshHandle.extend({
  kind: z.literal('command'),
  again: z
    .object({
      argv: z.array(z.string()).min(1).readonly(),
      env: z.record(z.string(), z.string()),
      /** The command's name, for errors. */
      where: z.string(),
      /** ssh's options for connecting to an address that it prints, besides the port. */
      options: z.array(z.string()).readonly(),
    })
    .exactOptional(),
});

/** Machines of any kind, managed by the user's own commands. */
export function commandProvider(commands: readonly KnownCommand[], inventory: string): TargetProvider {
  const commandFor = (arch: ArchName, tags: readonly string[] = []) =>
    commands.find((command) => command.archs.includes(arch) && tags.every((tag) => command.tags.includes(tag)));
  return {
    kind: 'command',
    async probe(arch, needs) {
      const command = commandFor(arch, needs?.tags);
      if (!command) return { state: 'impossible', why: `${inventory} names no command that makes ${arch} machines` };
      // The machine's capabilities are known once it exists.
      const capabilities = ['system', 'root', 'network', 'docker'] as const;
      const offer = { kind: 'command', capabilities, installs: [], hasModule: () => true, tags: command.tags } as const;
      return (
        lacking(needs, offer) ?? {
          state: 'usable',
          accelerator: 'native',
          detail: `${command.name}: ${command.acquire.join(' ').slice(0, 80)}`,
        }
      );
    },
    async acquire(spec, io) {
      const command = commandFor(spec.arch.name, spec.needs.tags);
      if (!command) throw new InfraError(`cannot make a machine: ${inventory} names no command for ${spec.arch.name}`);
      return acquireByCommand(command, spec, io);
    },
    reconnect: reconnectByCommand,
  };
}

async function acquireByCommand(command: KnownCommand, spec: TargetSpec, io: Io): Promise<Target> {
  // The commands can find the machine by this name even if the harness was killed before it got an address.
  const name = `${command.name}-${randomBytes(4).toString('hex')}`;
  const env = { HARNESS_NAME: name, HARNESS_ARCH: spec.arch.name, HARNESS_CELL: spec.cell };
  const registered = (more: Readonly<Record<string, string>>) =>
    io.register({
      kind: 'command',
      id: name,
      argv: command.release,
      env: { ...env, ...more },
      what: `${name} (${command.where})`,
    });
  const release = (more: Readonly<Record<string, string>>) =>
    run(command.release, { purpose: `give ${name} back`, env: { ...env, ...more }, timeout: RELEASE_MS });
  await registered({});
  let address: Readonly<Record<string, string>> = {};
  try {
    io.progress(`${command.name}: acquire`);
    const made = await run(command.acquire, {
      purpose: `make a machine with ${command.where}`,
      env,
      timeout: spec.bootDeadlineMs,
      cancelSignal: io.signal,
    });
    const last = (lastLines(String(made.stdout), 1)[0] ?? '').trim();
    const { user, host, port } = addressIn(last, 'make a machine', command);
    address = { HARNESS_ADDRESS: last };
    await registered(address);
    const machine: KnownMachine = {
      name,
      destination: user === undefined ? host : `${user}@${host}`,
      port,
      arch: spec.arch.name,
      tags: command.tags,
      key: command.key,
      sshConfig: command.sshConfig,
      cells: 1,
      where: command.where,
    };
    // It may still be booting.
    const facts = await retryUntil(() => lookAt(machine, spec.needs.kernelModules), {
      deadlineMs: spec.bootDeadlineMs,
      everyMs: 1000,
      signal: io.signal,
    });
    const lacks = lacking(spec.needs, { ...offerOf(machine, facts), kind: 'command' });
    if (lacks) throw new UnsupportedError(`the suite needs ${describeLacks(lacks.lacks)}`);
    const target = await acquireSsh('command', machine, facts, spec, io);
    const { reconnect, where, key, sshConfig } = command;
    const again = {
      argv: reconnect,
      env: { ...env, ...address },
      where,
      options: connectionOptions({ key, sshConfig }),
    };
    const handle = { ...target.handle, ...(reconnect ? { again } : {}) };
    await noteHandle(io, handle);
    return {
      ...target,
      handle,
      can: capabilitiesOf(machine, facts),
      async [Symbol.asyncDispose]() {
        await target[Symbol.asyncDispose]();
        await release(address).catch((error: unknown) => io.leaveBehind(messageOf(error)));
      },
    };
  } catch (error) {
    await release(address).catch((failed: unknown) => io.leaveBehind(messageOf(failed)));
    throw error;
  }
}

/** @throws InfraError if a command printed something else: the user's command is wrong, not the suite. */
function addressIn(line: string, purpose: string, { where }: Pick<KnownCommand, 'where'>): MachineAddress {
  try {
    return parseAddress(line);
  } catch (cause) {
    throw new InfraError(`cannot ${purpose} with ${where}: ${messageOf(cause)}`, {
      cause,
      hint: 'The last line that `acquire` and `reconnect` print is the address.',
    });
  }
}

/**
 * The machine as found by the user's `reconnect`. While its owner has a connection, commands use it; later they use the
 * address that the command prints, or the previous one if it prints none.
 */
async function reconnectByCommand(handle: unknown): Promise<Target | undefined> {
  const { again, ...ssh } = parseHandle(commandHandle, handle);
  if (!again) return reconnectSsh(ssh);
  const [program, ...args] = dieWithParent(again.argv);
  const { exitCode, stdout } = await execa(program!, args, {
    env: again.env,
    reject: false,
    stdin: 'ignore',
    timeout: RELEASE_MS,
  });
  if (exitCode !== 0) return undefined;
  const owned = await reconnectOwned(ssh);
  if (owned) return owned;
  const { onlyKept: _, ...address } = ssh.address;
  const line = (lastLines(stdout, 1)[0] ?? '').trim();
  const now = line === '' ? {} : handleAddress(addressIn(line, 'find the machine again', again), again.options);
  return useSshMachine({ ...ssh, address: { ...address, ...now } }, new Promise(() => {}));
}

function handleAddress({ user, host, port }: MachineAddress, options: readonly string[]) {
  return {
    destination: user === undefined ? host : `${user}@${host}`,
    options: [...options, ...(port === undefined ? [] : ['-p', String(port)])],
  };
}
