import type { Duplex } from 'node:stream';
import type { Arch, ArchName } from '../arch/index.ts';
import type { Barrier } from '../base/barrier.ts';
import type { HostTime } from '../base/host-time.ts';
import type { Phase, TargetFacts } from '../events/types.ts';
import type { Image } from '../images/build.ts';
import type { SystemImage } from '../images/build-system.ts';
import type { ProviderBlanks } from './blank.ts';
import type { EngineAddress } from './container/engine.ts';
import type { TargetKind } from './kinds.ts';
import type { ProviderOptions } from './providers.ts';

/** Capabilities of a target beyond running commands; see `docs/targets.md`. */
export const CAPABILITIES = ['system', 'root', 'power', 'network', 'docker', 'cluster'] as const;
export type Capability = (typeof CAPABILITIES)[number];

/** A suite's needs, matched with targets before anything starts. */
export interface Needs {
  readonly capabilities: readonly Capability[];
  /** Modules that the kernel has, loaded, built in or to be loaded. */
  readonly kernelModules: readonly string[];
  readonly memoryBytes: number;
  /** Debian packages that the stack brings. */
  readonly packages: readonly string[];
  /** Tags that the machine must have in the inventory. */
  readonly tags: readonly string[];
}

/** A need that a target does not meet; `describeLacks` puts it into words. */
export type Lack = {
  readonly kind: TargetKind;
  /** Whether no target of the kind has it here, or only this machine does not: then another one may. */
  readonly scope: 'kind' | 'machine';
} & (
  | { readonly need: 'capability'; readonly want: Capability }
  | { readonly need: 'kernel module' | 'tag'; readonly want: string }
  /** Bytes. */
  | { readonly need: 'memory'; readonly want: number; readonly have: number }
);

/** Availability of a kind of target for an architecture on this machine. */
export type Availability =
  | {
      readonly state: 'usable';
      readonly accelerator: TargetFacts['accelerator'];
      readonly detail: string;
    }
  /** It exists, but does not meet the suite's needs. */
  | { readonly state: 'lacking'; readonly lacks: readonly [Lack, ...Lack[]] }
  /** It should exist, but cannot be used. */
  | { readonly state: 'broken'; readonly why: string; readonly hint?: string }
  | { readonly state: 'missing'; readonly what: string; readonly install: string }
  | { readonly state: 'impossible'; readonly why: string };

/** How to find a target again, from another process or after a crash. Plain JSON, written before first use. */
export interface Handle {
  readonly kind: TargetKind;
  readonly [key: string]: unknown;
}

export interface ExecOptions {
  /** Milliseconds of this host's time, already scaled. No default: the caller must pass one. */
  readonly deadlineMs: number;
  readonly stdin?: string | Uint8Array;
  /** Called for each chunk of standard output as it arrives. */
  readonly onOutput?: (chunk: string) => void;
  readonly signal?: AbortSignal;
  /** With the controller's access to other machines, if the target shares its system: for fetching packages. */
  readonly outside?: boolean;
}

/** A finished command. A non-zero exit code is a result, not an error; a lost connection throws InfraError. */
export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

/** The address of a target's port from the controller. */
export interface Endpoint {
  /** `127.0.0.1`, or the address of a separate system or a remote Docker engine. */
  readonly host: string;
  readonly port: number;
}

/** A machine that a stack can be deployed on. */
export interface Target extends AsyncDisposable {
  readonly facts: TargetFacts;
  readonly handle: Handle;
  /** Its capabilities. */
  readonly can: readonly Capability[];
  /** The folder for noting changes on a machine that outlives the run; absent: nothing outlives it. */
  readonly undoFolder?: string;
  /** Runs argv on the target without a shell; as root if possible. */
  exec(argv: readonly string[], options: ExecOptions): Promise<ExecResult>;
  /** Writes a file on the target. Parent folders are made. */
  write(remotePath: string, content: string | Uint8Array, options?: { readonly mode?: number }): Promise<void>;
  /** Reads a file of the target; at most `maxBytes`. */
  read(remotePath: string, options?: { readonly maxBytes?: number }): Promise<Uint8Array>;
  /** A port of the target, reachable from the controller. Only ports in the spec. */
  forward(port: number): Promise<Endpoint>;
  /**
   * A Unix socket of the target, as one on the controller that works until the connection to the target ends, for
   * example when its power is cut: ask for it again each time. Absent: not supported.
   * @returns the path here, short enough for any client.
   */
  socket?(remotePath: string): Promise<string>;
  /**
   * A TCP connection that the target opens, to a host by a name or an address that it knows; it errors when there is none
   * to be had. Absent: not supported.
   */
  connect?(host: string, port: number): Duplex;
  /** Absent: its power cannot be cut. */
  readonly power?: Power;
  /** The last console lines, oldest first, control characters removed. */
  consoleTail(lines?: number): Promise<string[]>;
  /** argv of a process that runs a command there for a person, or without one a shell. */
  enter(command: readonly string[], terminal: boolean): string[];
  /** Scheduler times of the machine on this host so far. Absent: it runs elsewhere, or is indistinguishable from others. */
  hostTime?(): HostTime | undefined;
  /** Leaves the target without ending it: it no longer keeps this process from exiting. */
  leave(): void;
  /** Absent: this target cannot be saved. */
  readonly snapshots?: MachineSnapshots;
  /** Resolves with the reason when the target dies by itself: panic, emergency shell, dead emulator. Never rejects. */
  readonly died: Promise<Error>;
}

/** A power supply that the controller switches. */
export interface Power {
  /** Cuts the power: the machine stops between two instructions, and its memory is lost. */
  off(): Promise<void>;
  /** Restores the power; resolves when commands are answered again. */
  on(): Promise<void>;
  /** Whether it is cut now. Absent: unknown. */
  isOff?(): Promise<boolean>;
}

/** Saves a running machine and puts it back. */
export interface MachineSnapshots {
  /**
   * Saves the machine into an empty folder, for `ProviderSnapshots.resume`. It stands still for a moment, and connections
   * to it are opened anew.
   * @param together where the machines of a cluster wait for each other, twice: all stand still before one is saved,
   * and all are saved before one goes on.
   */
  save(folder: string, together?: Barrier): Promise<void>;
  /**
   * Puts the machine back to the state of a snapshot of it, in place: its ports, keys and name stay, connections to it are
   * opened anew.
   * @returns the handle by which other processes find it from now on.
   */
  restore(snapshot: string, together?: Barrier): Promise<Handle>;
}

/** Requirements of a machine. */
export interface TargetSpec {
  readonly cell: string;
  readonly arch: Arch;
  readonly needs: Needs;
  readonly vcpus: number;
  readonly memoryBytes: number;
  /** TCP ports of the target to be reachable from the controller. */
  readonly ports: readonly number[];
  readonly hostname: string;
  /** Whether it may reach machines other than the controller. */
  readonly network: boolean;
  /** Milliseconds until commands are answered. */
  readonly bootDeadlineMs: number;
  /** The image of a container. */
  readonly system?: Pick<SystemImage, 'key' | 'release' | 'tag' | 'archive'>;
  /** Requirements that only QEMU can meet. */
  readonly vm: VmRequest;
}

/** Requirements of a QEMU machine, which no other kind of target can meet. */
export interface VmRequest {
  /** Its image; absent: none was built for a machine. */
  readonly image?: Pick<Image, 'key' | 'release' | 'kernel' | 'initrd' | 'disk' | 'brought'>;
  /** `own`: a machine id of its own in every run; `kept`: the same in all runs of the cell. */
  readonly identity: 'own' | 'kept';
  /** Resolution of an emulated machine's timers: `coarse` to its tick, `fine` as on a real one. */
  readonly timers: 'coarse' | 'fine';
  /** Whether its clock counts its instructions: always emulated, and slower. */
  readonly counting: boolean;
  /** Whether it has to be possible to save the machine. */
  readonly snapshots: boolean;
  /** Its place in a cluster's network. */
  readonly lan?: LanPlace;
  /** A unix socket here, as a port of its loopback interface. */
  readonly back?: { readonly port: number; readonly socket: string };
}

/** A machine's place in the network of its cluster. */
export interface LanPlace {
  /** The switch's socket for this machine. */
  readonly socket: string;
  readonly mac: string;
  /** With the length of the prefix: `10.77.0.11/24`. */
  readonly address: string;
  /** Lines for the machine's `/etc/hosts`, which name all machines. */
  readonly hosts: readonly string[];
}

/** A run's services for a provider: folders, registration, progress. */
export interface Io {
  /** The run's name, for labels on what it makes elsewhere. */
  readonly run: string;
  /** The cell's folder in the run, absolute; console and logs go there. */
  readonly folder: string;
  /** Makes a private folder with a short path, for sockets. It is in the run's lease; the caller removes it. */
  makeRuntimeFolder(): Promise<string>;
  readonly signal: AbortSignal;
  /** Leave the target alive when the harness exits. */
  readonly keep: boolean;
  /** Puts a process, a path or a command into the run's lease before it is used, so that `harness gc` can find it. */
  register(resource: Resource): Promise<void>;
  /** Reports that something registered could not be released, and why: the run's lease stays for `harness gc`. */
  leaveBehind(why: string): void;
  /** Reports progress in one line. */
  progress(message: string): void;
  phase(phase: Phase): void;
  /** Called with a machine that answers commands but cannot be used for another reason, before it is ended. */
  onFailedStart?(target: Target): Promise<void>;
}

/** A thing that must be gone when the run is over. */
export type Resource =
  | { readonly kind: 'process'; readonly pid: number; readonly startTime: string; readonly what: string }
  | { readonly kind: 'path'; readonly path: string }
  /** Everything on a Docker engine that has the run's label. */
  | { readonly kind: 'engine'; readonly engine: EngineAddress }
  /** A resource elsewhere, which a command releases; it may run more than once, and of those with one id the last counts. */
  | {
      readonly kind: 'command';
      readonly id: string;
      readonly argv: readonly string[];
      readonly env?: Readonly<Record<string, string>>;
      readonly what: string;
    };

/** The contract that each kind of target fulfils. */
export interface TargetProvider {
  readonly kind: TargetKind;
  /**
   * Takes milliseconds, or as long as a connection to a machine; starts nothing big.
   * @param needs the suite's needs; absent: only whether there is a target at all.
   */
  probe(arch: ArchName, needs?: Needs): Promise<Availability>;
  /** Whether there are machines whose clock counts their instructions (`VmRequest.counting`). */
  readonly counts?: true;
  /** Registers what it starts before it uses it. The deadline is the caller's signal. */
  acquire(spec: TargetSpec, io: Io): Promise<Target>;
  /** Absent: targets of this kind cannot be saved. */
  readonly snapshots?: ProviderSnapshots;
  /** Makes blank machines. Absent: there are none of this kind. */
  readonly blanks?: ProviderBlanks;
  /**
   * The target of a handle, for a process other than the one that acquired it, or undefined if it is gone. Disposing
   * the result does not end the target.
   * @param handle as it was read, from a file or from another process.
   * @throws InfraError when it is no handle of this kind.
   */
  reconnect(handle: unknown): Promise<Target | undefined>;
}

/** Creates machines from saved ones. */
export interface ProviderSnapshots {
  /**
   * All properties of a machine that must match for a snapshot of it to be resumed instead, as plain JSON; or why it
   * cannot be saved.
   */
  identity(spec: TargetSpec): Promise<{ readonly identity: unknown } | { readonly why: string }>;
  /**
   * A machine from what `MachineSnapshots.save` wrote: as `acquire`, with everything that ran in it running. It has its own
   * keys, entropy, machine id and time.
   * @param together where the machines of a cluster wait for each other before one goes on.
   */
  resume(spec: TargetSpec, snapshot: string, io: Io, together?: Barrier): Promise<Target>;
}

/** Static description of a kind of target, in `kinds.ts` under its name. */
export interface KindOfTarget {
  /** Its best possible capabilities: a suite that is refused elsewhere is told where it would work. */
  readonly atBest: readonly Capability[];
  /**
   * The image that its targets start from, built before one is acquired. With `none`, the stack is installed on an
   * existing system.
   */
  readonly image: 'disk' | 'system' | 'none';
  /** Whether `harness doctor` checks it, given the inventory. */
  doctor(known: Pick<ProviderOptions, 'machines' | 'commands'>): boolean;
  /** Not listed or nameable: for tests of the harness. */
  readonly hidden?: true;
  /** Loads its code, so that users of one kind do not wait for others. */
  provider(options: ProviderOptions): Promise<TargetProvider>;
}
