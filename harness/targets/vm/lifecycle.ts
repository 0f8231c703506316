import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Barrier } from '../../base/barrier.ts';
import { InfraError } from '../../base/errors.ts';
import { failAfter } from '../../base/fail-after.ts';
import { run } from '../../base/process.ts';
import { retryUntil, withDeadline } from '../../base/time.ts';
import type { TargetFacts } from '../../events/types.ts';
import { noteHandle } from '../handle.ts';
import { consoleTail } from '../shared/console.ts';
import { closeSsh, openSsh, pinnedOptions, type SshAddress } from '../shared/ssh-connection.ts';
import { timed } from '../shared/timed.ts';
import type { Io, Target } from '../target.ts';
import { openAgent } from './agent.ts';
import type { MachineSpec } from './arguments.ts';
import { connectWhenListening, useMachine, type VmHandle } from './machine.ts';
import { type Qemu, startQemu } from './qemu.ts';
import { makeSeed, type Seed } from './seed.ts';
import { loadMachine, SNAPSHOT_FILES, saveMachine } from './snapshot.ts';
import type { VmSpec } from './spec.ts';
import { setClock, wakeMachine } from './wake.ts';

/** QEMU and the accelerator of the machine. */
export interface MachineKind {
  readonly accelerator: 'kvm' | 'tcg';
  /** QEMU's version and build. */
  readonly version: string;
}

/** Milliseconds for the agent of a running guest to answer a trivial request. */
const AGENT_MS = 60_000;

/**
 * Milliseconds for a resumed guest's first answer, which takes less than one second on an idle host. Without it the
 * cell starts cold, or cannot continue if it is reset between tests.
 */
const RESUME_MS = 60_000;

/** Boots a machine and waits until it answers commands. */
export async function bootMachine(spec: VmSpec, kind: MachineKind, io: Io): Promise<Target> {
  const place = await prepare(spec, io, spec.image.disk);
  return guarded(place, async () => {
    const memory = spec.snapshots ? 'shared' : 'plain';
    const qemu = await startQemu(machineSpec(spec, kind, place, memory), spec.cell, io);
    place.qemu = qemu;
    const handle = await describe(spec, kind, place, qemu);
    await timed(io, 'boot to SSH', () =>
      withDeadline(
        qemu.alive(connectWhenListening(handle, 0, io.signal, io.progress)),
        spec.bootDeadlineMs,
        async () => {
          return new InfraError(`cannot boot the guest: no SSH after ${Math.round(spec.bootDeadlineMs / 1000)} s`, {
            consoleTail: await consoleTail(handle.consoleFile, 50),
          });
        },
      ),
    );
    place.answers = useMachine(handle, new Promise(() => {}));
    // One that counts instructions has its own clock, which follows them.
    if (!spec.counting) {
      using agent = await openAgent(place.sockets.agent, AGENT_MS, io.signal);
      await timed(io, 'clock', () => qemu.alive(setClock(agent, spec.arch, AGENT_MS)));
    }
    return finish(spec, kind, place, qemu, handle);
  });
}

/** A machine from a snapshot: running, with its own keys, entropy, identity and this host's time. */
export async function resumeMachine(
  spec: VmSpec,
  kind: MachineKind,
  snapshot: string,
  io: Io,
  together?: Barrier,
): Promise<Target> {
  const place = await prepare(spec, io, join(snapshot, SNAPSHOT_FILES.disk));
  return guarded(place, async () => {
    const [qemu, handle] = await resumeAt(spec, kind, place, snapshot, together);
    return finish(spec, kind, place, qemu, handle);
  });
}

/** Starts QEMU with a snapshot's memory where a machine lives, on the ports that it had before, if it had any. */
async function resumeAt(
  spec: VmSpec,
  kind: MachineKind,
  place: Place,
  snapshot: string,
  together?: Barrier,
): Promise<[Qemu, VmHandle]> {
  const { io } = place;
  const memory = { file: join(snapshot, SNAPSHOT_FILES.memory) };
  const qemu = await timed(io, 'QEMU', () => startQemu(machineSpec(spec, kind, place, memory), spec.cell, io));
  place.qemu = qemu;
  const handle = await describe(spec, kind, place, qemu);
  using agent = await openAgent(place.sockets.agent, AGENT_MS, io.signal);
  await timed(io, 'load', () => qemu.alive(loadMachine(qemu, snapshot, place.sockets.migration)));
  await timed(io, 'first answer', async () => {
    await together?.arrive();
    // The request is there when the guest goes on: its interrupt must come before the guest's next timer (`lostTimer`).
    const awake = wakeMachine(agent, place.seed, spec.arch, RESUME_MS);
    await qemu.qmp.execute('cont');
    await qemu.alive(awake);
  });
  await timed(io, 'SSH', () => qemu.alive(reopenSsh(handle, spec, io)));
  qemu.booted();
  return [qemu, handle];
}

/** A machine's files and sockets, and its QEMU once there is one. */
interface Place {
  readonly io: Io;
  /** For sockets and keys. */
  readonly runtimeFolder: string;
  readonly seed: Seed;
  readonly overlay: string;
  readonly consoleFile: string;
  readonly sockets: Readonly<Record<'qmp' | 'control' | 'ssh' | 'agent' | 'migration', string>>;
  qemu?: Qemu;
  address?: SshAddress;
  /** The machine, once it answers commands. */
  answers?: Target;
}

/** Keys, and a copy-on-write disk over one that belongs to a cache. */
async function prepare(spec: VmSpec, io: Io, backing: string): Promise<Place> {
  const overlay = join(io.folder, 'overlay.qcow2');
  const consoleFile = join(io.folder, 'console.log');
  const runtimeFolder = await io.makeRuntimeFolder();
  await io.register({ kind: 'path', path: overlay });
  const [seed] = await timed(io, 'keys and overlay', () =>
    Promise.all([
      makeSeed(runtimeFolder, spec.image.initrd, spec),
      makeOverlay(overlay, backing),
      writeFile(consoleFile, ''),
    ]),
  );
  const socket = (name: string) => join(runtimeFolder, name);
  return {
    io,
    runtimeFolder,
    seed,
    overlay,
    consoleFile,
    sockets: {
      qmp: socket('qmp'),
      control: socket('ctl'),
      ssh: socket('ssh'),
      agent: socket('agent'),
      migration: socket('mig'),
    },
  };
}

/** An overlay disk over another one, which belongs to a cache and is never written. */
async function makeOverlay(overlay: string, backing: string): Promise<void> {
  await run(['qemu-img', 'create', '-q', '-f', 'qcow2', '-b', backing, '-F', 'qcow2', overlay], {
    purpose: 'make the copy-on-write disk',
  });
}

function machineSpec(spec: VmSpec, kind: MachineKind, place: Place, memory: MachineSpec['memory']): MachineSpec {
  return {
    arch: spec.arch,
    accelerator: kind.accelerator,
    vcpus: spec.vcpus,
    memoryBytes: spec.memoryBytes,
    kernel: spec.image.kernel,
    initrd: place.seed.initrd,
    disk: place.overlay,
    consoleFile: place.consoleFile,
    qmpSocket: place.sockets.qmp,
    controlSocket: place.sockets.control,
    agentSocket: place.sockets.agent,
    ports: place.qemu?.ports ?? Object.fromEntries([22, ...spec.ports].map((port) => [port, 0])),
    lan: spec.lan,
    network: spec.network,
    timers: spec.timers,
    counting: spec.counting,
    memory,
  };
}

/** The handle for other processes, on disk before the machine is used. */
async function describe(spec: VmSpec, kind: MachineKind, place: Place, qemu: Qemu): Promise<VmHandle> {
  const { arch } = spec;
  const port = qemu.ports['22'] ?? 0;
  const knownHosts = join(place.runtimeFolder, 'known_hosts');
  await writeFile(knownHosts, `[127.0.0.1]:${port} ${place.seed.hostKey}\n`, { mode: 0o600 });
  const kvm = kind.accelerator === 'kvm';
  const facts: TargetFacts = {
    arch: arch.name,
    kind: 'vm',
    accelerator: kind.accelerator,
    cpu: kvm ? 'host' : arch.qemu.cpu,
    machine: kvm ? arch.qemu.kvmMachine : arch.qemu.machine,
    vcpus: spec.vcpus,
    memoryBytes: spec.memoryBytes,
    emulator: `QEMU ${kind.version.split(' ')[0]}`,
    release: spec.image.release,
    image: spec.image.key,
  };
  place.address = {
    destination: 'root@127.0.0.1',
    options: pinnedOptions({ port, keyFile: place.seed.keyFile, knownHosts }),
    socket: place.sockets.ssh,
    name: `127.0.0.1:${port}`,
    ...(spec.back ? { back: [`127.0.0.1:${spec.back.port}:${spec.back.socket}`] } : {}),
  };
  const handle: VmHandle = {
    kind: 'vm',
    ...qemu.identity,
    ssh: place.address,
    ports: qemu.ports,
    consoleFile: place.consoleFile,
    controlSocket: place.sockets.control,
    facts,
    bootDeadlineMs: spec.bootDeadlineMs,
  };
  await noteHandle(place.io, handle);
  return handle;
}

async function finish(spec: VmSpec, kind: MachineKind, place: Place, first: Qemu, handle: VmHandle): Promise<Target> {
  // One machine may have several QEMUs in turn: it dies with the one that ended unexpectedly.
  const { promise: died, resolve: die } = Promise.withResolvers<Error>();
  void first.died.then(die);
  const used = useMachine(handle, died);
  const kernel = (await used.exec(['uname', '-r'], { deadlineMs: spec.bootDeadlineMs })).stdout.trim();
  first.booted();
  const save = async (folder: string, together?: Barrier) => {
    const { qemu = first } = place;
    using agent = await openAgent(place.sockets.agent, AGENT_MS, place.io.signal);
    await closeSsh(handle.ssh);
    // A resumed machine would keep the other end of a dead connection.
    const gone = 'while pgrep -f "^sshd: root" >/dev/null; do sleep 0.05; done; sync';
    const { exitCode, output } = await qemu.alive(agent.ask('sh', gone, AGENT_MS));
    if (exitCode !== 0) throw new InfraError(`cannot save the machine: it does not come to rest: ${output.trim()}`);
    const files = { overlay: place.overlay, folder, socket: place.sockets.migration };
    try {
      await qemu.alive(saveMachine(qemu, spec.arch, files, together));
    } finally {
      // Its clock stood still with it: for seconds, on a host that is busy or has a slow disk.
      if (!spec.counting) await qemu.alive(setClock(agent, spec.arch, AGENT_MS));
    }
    await reopenSsh(handle, spec, place.io);
  };
  const restore = async (snapshot: string, together?: Barrier) => {
    await closeSsh(handle.ssh);
    await place.qemu?.end();
    await makeOverlay(place.overlay, join(snapshot, SNAPSHOT_FILES.disk));
    // The sockets of a QEMU that was killed are still there.
    for (const name of ['qmp', 'control', 'agent', 'migration'] as const)
      await rm(place.sockets[name], { force: true });
    const [qemu, restored] = await resumeAt(spec, kind, place, snapshot, together);
    void qemu.died.then(die);
    return restored;
  };
  return {
    ...useMachine({ ...handle, facts: { ...handle.facts, kernel } }, died),
    ...(spec.snapshots ? { snapshots: { save, restore } } : {}),
    leave: () => place.qemu?.leave(),
    [Symbol.asyncDispose]: () => release(place),
  };
}

async function reopenSsh(handle: VmHandle, spec: VmSpec, io: Io): Promise<void> {
  await retryUntil(() => openSsh(handle.ssh, spec.bootDeadlineMs, io.signal), {
    deadlineMs: spec.bootDeadlineMs,
    everyMs: 100,
    signal: io.signal,
  });
}

async function release(place: Place): Promise<void> {
  await place.qemu?.end();
  if (place.address) await closeSsh(place.address);
  await rm(place.overlay, { force: true });
  // An ssh that ends may make its socket once more meanwhile.
  await rm(place.runtimeFolder, { recursive: true, force: true, maxRetries: 3 });
}

async function guarded(place: Place, work: () => Promise<Target>): Promise<Target> {
  try {
    return await work();
  } catch (error) {
    if (place.answers && !place.io.signal.aborted) await place.io.onFailedStart?.(place.answers).catch(() => {});
    return failAfter(error, () => release(place));
  }
}
