import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ArchName } from '../../arch/index.ts';
import { InfraError } from '../../base/errors.ts';
import { failAfter } from '../../base/fail-after.ts';
import { exists } from '../../base/files.ts';
import { shellQuote } from '../../base/text.ts';
import type { TargetFacts } from '../../events/types.ts';
import { noteHandle } from '../handle.ts';
import type { TargetKind } from '../kinds.ts';
import { lacking, type Offer } from '../lacking.ts';
import type { SshAddress } from '../shared/ssh-connection.ts';
import type { Availability, Capability, Io, Needs, Target, TargetProvider, TargetSpec } from '../target.ts';
import { type Hold, type HoldOptions, holdMachine } from './hold.ts';
import { lookAt, type MachineFacts } from './look.ts';
import { markBack, reconnectSsh, type SshHandle, useSshMachine } from './machine.ts';
import { connectionOptions, type KnownMachine } from './machines.ts';

/** Existing machines, reached through the user's own ssh. */
export function sshProvider(machines: readonly KnownMachine[], inventory: string): TargetProvider {
  const looks = new Map<string, Promise<MachineFacts>>();
  /** One connection per machine and set of modules, however many cells ask. */
  const look = (machine: KnownMachine, modules: readonly string[] = []) => {
    const key = JSON.stringify([machine.name, ...modules]);
    const found = looks.get(key) ?? lookAt(machine, modules);
    looks.set(key, found);
    return found;
  };
  return {
    kind: 'ssh',
    async probe(arch, needs) {
      const candidates = machines.filter((machine) => machine.arch === undefined || machine.arch === arch);
      const answers = await Promise.all(candidates.map((machine) => answerOf(machine, arch, needs, look)));
      const wrong = answers.filter((answer) => answer !== undefined);
      const best = (['usable', 'lacking', 'broken'] as const)
        .map((state) => wrong.find((answer) => answer.state === state))
        .find((answer) => answer !== undefined);
      return best ?? { state: 'impossible', why: `${inventory} names no ${arch} machine` };
    },
    async acquire(spec, io) {
      const fit: [KnownMachine, MachineFacts][] = [];
      for (const machine of machines) {
        const answer = await answerOf(machine, spec.arch.name, spec.needs, look);
        if (answer?.state === 'usable') fit.push([machine, await look(machine, spec.needs.kernelModules)]);
      }
      if (fit.length === 0) throw new InfraError(`cannot use a machine of ${inventory}: none is there any more`);
      return firstFree(fit, spec, io);
    },
    reconnect: reconnectSsh,
  };
}

async function answerOf(
  machine: KnownMachine,
  arch: ArchName,
  needs: Needs | undefined,
  look: (machine: KnownMachine, modules?: readonly string[]) => Promise<MachineFacts>,
): Promise<Extract<Availability, { state: 'usable' | 'lacking' | 'broken' }> | undefined> {
  // Needs that no such machine can meet are reported without a connection, even if it is down.
  const never = machine.arch === undefined ? undefined : lacking(needs, bestOf(machine));
  if (never) return never;
  try {
    const facts = await look(machine, needs?.kernelModules);
    if (facts.arch !== arch) return undefined;
    const detail = `${machine.name}, ${facts.cpu}, ${facts.vcpus} CPUs`;
    return lacking(needs, offerOf(machine, facts)) ?? { state: 'usable', accelerator: facts.accelerator, detail };
  } catch (error) {
    if (!(error instanceof InfraError)) throw error;
    return { state: 'broken', why: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
  }
}

/** The best possible capabilities of an inventory's machine. */
function bestOf(machine: KnownMachine): Offer {
  const power = machine.power === undefined ? [] : (['power'] as const);
  return {
    kind: 'ssh',
    capabilities: ['system', 'root', 'network', 'docker', ...power],
    installs: [],
    hasModule: () => true,
    tags: machine.tags,
  };
}

export function offerOf(machine: KnownMachine, facts: MachineFacts): Offer {
  return {
    kind: 'ssh',
    capabilities: capabilitiesOf(machine, facts),
    installs: facts.asRoot && facts.systemd ? ['docker.io'] : [],
    hasModule: (name) => facts.modules.includes(name),
    memoryBytes: facts.memoryBytes,
    tags: machine.tags,
  };
}

export function capabilitiesOf(machine: KnownMachine, facts: MachineFacts): Capability[] {
  const has: [Capability, boolean][] = [
    ['system', facts.systemd && facts.asRoot !== undefined],
    ['root', facts.asRoot !== undefined],
    ['power', machine.power !== undefined],
    // Only the owner knows the state of the machine, and nothing can be done from here.
    ['network', true],
    ['docker', facts.docker],
  ];
  return has.filter(([, there]) => there).map(([name]) => name);
}

/** Waits for all suitable machines, and takes the first free one. */
async function firstFree(fit: readonly [KnownMachine, MachineFacts][], spec: TargetSpec, io: Io): Promise<Target> {
  const [only, ...others] = fit;
  if (others.length === 0) return acquireSsh('ssh', ...only!, spec, io);
  const rivals = fit.map(([machine, facts]) => {
    const stop = new AbortController();
    const signal = AbortSignal.any([io.signal, stop.signal]);
    const held = hold(machine, facts, spec, { ...io, signal });
    return { stop, held, machine, facts };
  });
  const { winner, held } = await Promise.any(
    rivals.map(async (rival) => ({ winner: rival, held: await rival.held })),
  ).catch(({ errors }: AggregateError) => {
    throw errors[0];
  });
  await Promise.all(
    rivals
      .filter((rival) => rival !== winner)
      .map(async (rival) => {
        rival.stop.abort(new Error('another machine was free before'));
        await rival.held.then(
          (late) => closeHold(late.hold, late.runtimeFolder),
          () => {},
        );
      }),
  );
  return useHeld('ssh', winner.machine, winner.facts, held, spec, io);
}

/** Takes a machine, waiting while others use it. Disposal releases it. */
export async function acquireSsh(
  kind: Extract<TargetKind, 'ssh' | 'command'>,
  machine: KnownMachine,
  facts: MachineFacts,
  spec: TargetSpec,
  io: Io,
): Promise<Target> {
  return useHeld(kind, machine, facts, await hold(machine, facts, spec, io), spec, io);
}

interface Held {
  /** For sockets; removed with the target. */
  readonly runtimeFolder: string;
  readonly hold: Hold;
  readonly options: HoldOptions;
}

async function hold(machine: KnownMachine, facts: MachineFacts, spec: TargetSpec, io: Io): Promise<Held> {
  const runtimeFolder = await io.makeRuntimeFolder();
  const address: SshAddress = {
    destination: machine.destination,
    options: connectionOptions(machine),
    socket: join(runtimeFolder, 'ssh'),
    name: machine.name,
    onlyKept: true,
  };
  const options: HoldOptions = {
    machine,
    address,
    asRoot: facts.asRoot ?? [],
    stateFolder: facts.stateFolder,
    owner: `${spec.cell} since ${new Date().toISOString()}`,
    ports: Object.fromEntries(spec.ports.map((port) => [port, undefined])),
    signal: io.signal,
    progress: io.progress,
  };
  try {
    return { runtimeFolder, options, hold: await holdMachine(options) };
  } catch (error) {
    return failAfter(error, () => rm(runtimeFolder, { recursive: true, force: true }));
  }
}

async function closeHold(hold: Hold, runtimeFolder: string): Promise<void> {
  await hold.end();
  await rm(runtimeFolder, { recursive: true, force: true });
}

async function useHeld(
  kind: Extract<TargetKind, 'ssh' | 'command'>,
  machine: KnownMachine,
  facts: MachineFacts,
  { runtimeFolder, hold: first, options }: Held,
  spec: TargetSpec,
  io: Io,
): Promise<Target> {
  const handle = {
    kind,
    address: options.address,
    asRoot: options.asRoot,
    ports: first.ports,
    facts: factsOf(kind, machine, facts),
    can: capabilitiesOf(machine, facts),
    undoFolder: `${facts.stateFolder}/place-${first.place}`,
    ...(machine.power ? { power: machine.power } : {}),
    poweredOff: join(runtimeFolder, 'powered-off'),
    left: join(runtimeFolder, 'left'),
    bootDeadlineMs: spec.bootDeadlineMs,
  } satisfies SshHandle;
  await io.register({
    kind: 'command',
    id: handle.undoFolder,
    argv: [...(kind === 'command' ? IGNORE_FAILURE : []), ...undoArgv(machine, handle, facts)],
    what: `what was changed on ${machine.name}`,
  });
  await noteHandle(io, handle);
  const { promise: died, resolve: die } = Promise.withResolvers<Error>();
  const ended = new AbortController();
  let current = first;
  const watch = async (): Promise<void> => {
    await current.ended;
    if (ended.signal.aborted) return;
    if (!(await exists(handle.poweredOff))) return die(new InfraError(`the connection to ${machine.name} was lost`));
    current = await reconnectOnceBack({ ...options, ports: first.ports, signal: ended.signal });
    await markBack(handle);
    return watch();
  };
  watch().catch((error: Error) => {
    if (!ended.signal.aborted) die(error);
  });
  return {
    ...useSshMachine(handle, died),
    leave() {
      writeFileSync(handle.left, '');
      current.leave();
    },
    async [Symbol.asyncDispose]() {
      ended.abort(new Error('the machine was released'));
      await closeHold(current, runtimeFolder);
    },
  };
}

/** Restores a machine after its run was killed, unless somebody else has it, who will then do so. */
const COLLECT =
  'cd "$1" 2>/dev/null || exit 0; exec 9>>"$2.lock"; flock -n 9 || exit 0; [ ! -e "$2/undo" ] || sh "$1/$2/undo"';

/** A command's machine may already be gone; it is released in any case. */
const IGNORE_FAILURE = ['sh', '-c', '"$@" || true', 'undo'];

function undoArgv(machine: KnownMachine, handle: SshHandle, { stateFolder }: MachineFacts): string[] {
  const place = handle.undoFolder.slice(stateFolder.length + 1);
  const argv = [...handle.asRoot, 'sh', '-c', COLLECT, 'collect', stateFolder, place];
  return [
    ...['ssh', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=10', ...connectionOptions(machine), machine.destination],
    ...['--', argv.map(shellQuote).join(' ')],
  ];
}

/** Retries until a machine that was switched off is back; the caller sets the deadline. */
async function reconnectOnceBack(options: HoldOptions): Promise<Hold> {
  for (;;) {
    options.signal.throwIfAborted();
    try {
      return await holdMachine(options);
    } catch (error) {
      options.signal.throwIfAborted();
      options.progress(`waiting for ${options.machine.name}: ${(error as Error).message}`);
      await delay(500, undefined, { signal: options.signal });
    }
  }
}

function factsOf(kind: TargetKind, machine: KnownMachine, facts: MachineFacts): TargetFacts {
  const { arch, accelerator, cpu, vcpus, memoryBytes, kernel } = facts;
  return { arch, kind, accelerator, cpu, machine: machine.name, vcpus, memoryBytes, kernel };
}
