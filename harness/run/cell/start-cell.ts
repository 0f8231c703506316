import { join } from 'node:path';
import { type ArchName, architectures } from '../../arch/index.ts';
import { createBarrier } from '../../base/barrier.ts';
import { InfraError, UnsupportedError } from '../../base/errors.ts';
import { makeFolder } from '../../base/files.ts';
import { makeRuntimeFolder } from '../../base/folders.ts';
import { scaledMs } from '../../base/time.ts';
import type { SetUpState } from '../../commands/set-up.ts';
import type { Matrix } from '../../config/suite.ts';
import { isEmulated, type Phase } from '../../events/types.ts';
import type { Image } from '../../images/build.ts';
import type { MadeFile } from '../../images/software.ts';
import type { Cell } from '../../matrix/cell.ts';
import { needsOf, requireUsable } from '../../matrix/gate.ts';
import {
  type BlankCellNode,
  blanksOf,
  type CellNode,
  emulatedMemory,
  firmwareOf,
  isCluster,
  memoryOf,
  nodesOf,
} from '../../matrix/nodes.ts';
import type { SourceTree } from '../../source/tree.ts';
import { deployersOf } from '../../stacks/deployers.ts';
import type { Installed } from '../../stacks/packages/install.ts';
import { awaitReady } from '../../stacks/ready.ts';
import type { BlankSpec } from '../../targets/blank.ts';
import type { Io, Target, TargetProvider, TargetSpec } from '../../targets/target.ts';
import type { Lease } from '../schedule/lease.ts';
import { BMC_PORT, type StartedBlanks, startBlanks } from './blanks.ts';
import { calibrate, isSuspicious } from './calibrate.ts';
import { type ClusterNetwork, createNetwork } from './cluster-network.ts';
import type { CellImages } from './image.ts';
import { type CellSnapshot, cellSnapshot, droppedMessage, type FoundSnapshot, type Scale } from './snapshots.ts';
import type { StepIo } from './step.ts';

/** What machines to start. */
export interface StartRequest {
  readonly provider: TargetProvider;
  /** The suite's image for each architecture of the cell. */
  readonly images: CellImages;
  readonly limits: Matrix['limits'];
  /** Neither use nor save a snapshot. */
  readonly cold: boolean;
  /** The source that the suite's commands work on. */
  readonly tree?: SourceTree | undefined;
  /** Machines whose clocks count their instructions. */
  readonly counting?: boolean;
  /** If the cell cannot be started: called with each machine that did start, before it is released, and its factor. */
  readonly onFailedStart?: (node: { readonly name: string; readonly target: Target }, scale: number) => Promise<void>;
}

/** Where the files of a cell's machines go, and what cancels the start. */
export interface CellPlace {
  /** The cell's folder, absolute. */
  readonly folder: string;
  /** The cache, which holds snapshots. */
  readonly cache: string;
  readonly lease: Lease;
  /** The machines outlive the run. */
  readonly keep: boolean;
  readonly signal: AbortSignal;
}

/** A start in progress. */
interface Start {
  readonly cell: Cell;
  readonly request: StartRequest;
  readonly place: CellPlace;
  readonly io: StepIo;
}

/** One running machine of a cell. */
export interface StartedNode extends CellNode {
  readonly target: Target;
  /** The suite's container images for its architecture. */
  readonly containers: Image['containers'];
  /** What the suite makes from source for its architecture, where no image has it. */
  readonly software: readonly MadeFile[];
  /** Packages on its disk that it still has to configure. */
  readonly unconfigured: Image['unconfigured'];
  /** Whether its disk image already contains the stack's packages and files. */
  readonly onImage: boolean;
  /** What was installed on it instead, once that is done. */
  installed?: Installed;
  /** Set once the machine has stopped answering, so that nobody waits for it again. */
  silent?: boolean;
}

/** A cell's machines, and how slow they are. Disposal releases them. */
export interface StartedCell extends AsyncDisposable {
  /** One machine, or all machines of a cluster. */
  readonly nodes: [StartedNode, ...StartedNode[]];
  readonly network?: ClusterNetwork | undefined;
  /** Its blank machines. */
  readonly blanks?: StartedBlanks | undefined;
  /** Of the slowest machine. */
  readonly scale: Scale;
  /** True when it was resumed: its stack is deployed and ready. */
  readonly deployed: boolean;
  /** The set-up of the first machine for the suite's commands, once that is done. */
  setUp?: SetUpState | undefined;
  /** Where the cell is saved once its stack is deployed; absent if it cannot be saved. */
  readonly snapshot?: CellSnapshot;
}

/**
 * Restores a cell's machines in place to their state right after deployment.
 * @throws InfraError when there is no snapshot of them.
 */
export async function restoreCell({ nodes, snapshot, blanks }: StartedCell): Promise<void> {
  const found = await snapshot?.find();
  if (!found) throw new InfraError('cannot put the machines back: they were not saved');
  // Nothing has used them when a snapshot is saved, so that they are put back by being made anew.
  await each(blanks?.machines ?? [], (machine) => machine.renew());
  const barrier = createBarrier(nodes.length);
  await each([...nodes.entries()], async ([index, node]) => {
    const handle = await node.target
      .snapshots!.restore(join(found.folder, node.name), barrier)
      .catch((error: Error) => {
        barrier.fail(error);
        throw error;
      });
    nodes[index] = { ...node, silent: false, target: { ...node.target, handle } };
  });
}

/** The name of the socket of blank machines' BMCs. */
const BMC_SOCKET = 'bmc';

/** Milliseconds for the calibration loop, which takes a second on a slow target. */
const CALIBRATION_MS = 120_000;

/** The folder for a machine's files: in a cluster each machine has its own. */
export function nodeFolder(cell: Pick<Cell, 'suite'>, cellFolder: string, node: string): string {
  return isCluster(cell) ? join(cellFolder, node) : cellFolder;
}

/** Acquires a cell's machines: resumes them from a good snapshot, or boots them, and measures how slow they are. */
export async function startCell(cell: Cell, request: StartRequest, place: CellPlace, io: StepIo): Promise<StartedCell> {
  const start: Start = { cell, request, place, io };
  const { provider } = request;
  const assumed = new Map<ArchName, number>();
  for (const { arch } of nodesOf(cell)) assumed.set(arch, await assumedSlowdown(cell, arch, provider));
  const assumedScale = request.limits.scale ?? Math.max(...assumed.values());
  const network = await networkOf(start);
  const started: Target[] = [];
  const names = new Map<Target, string>();
  let blanks: StartedBlanks | undefined;
  const end = async () => {
    await Promise.all(started.map((target) => target[Symbol.asyncDispose]()));
    await blanks?.[Symbol.asyncDispose]();
    await network?.[Symbol.asyncDispose]();
  };
  try {
    if (network) blanks = await blanksFor(start, network);
    const common = { network, blanks, [Symbol.asyncDispose]: end };
    const specs = nodesOf(cell).map((node): NodeSpec => {
      const image = request.images.get(node.arch)!;
      const { containers, unconfigured } = image;
      const spec = specOf(start, node, assumed, network);
      const software = 'software' in image ? (image.software ?? []) : [];
      return { ...node, containers, software, unconfigured, onImage: 'key' in image, spec };
    });
    const snapshot = request.cold ? '--cold' : await snapshotOf(start, specs);
    const found = typeof snapshot === 'string' ? undefined : await snapshot.find();
    if (typeof snapshot !== 'string' && found) {
      try {
        const resumed = await resume(start, specs, found, started);
        return { ...common, ...resumed, scale: await scaleAgain(start, resumed, assumed, snapshot, found), snapshot };
      } catch (error) {
        await Promise.all(started.splice(0).map((target) => target[Symbol.asyncDispose]()));
        place.signal.throwIfAborted();
        io.warn(droppedMessage(error));
        await snapshot.drop(found);
      }
    }
    if (typeof snapshot === 'string' && cell.suite.isolate !== 'none')
      throw new UnsupportedError(
        `the suite wants its machines restored before each ${cell.suite.isolate}, but they cannot be saved: ${snapshot}`,
      );
    // Memory that can be saved is slower, so a machine that cannot be saved anyway keeps the faster kind.
    const savable = typeof snapshot !== 'string';
    const nodes = await each(specs, async ({ spec, ...node }): Promise<StartedNode & { scale: Scale }> => {
      const nodeIo: Io = {
        ...(await ioOf(start, node)),
        onFailedStart: async (target) => request.onFailedStart?.({ name: node.name, target }, assumedScale),
      };
      const target = await provider.acquire({ ...spec, vm: { ...spec.vm, snapshots: savable } }, nodeIo);
      started.push(target);
      names.set(target, node.name);
      return { ...node, target, scale: await measure(target, assumed.get(node.arch)!, request.limits, nodeIo.phase) };
    });
    const scale = slowest(nodes.map((node) => node.scale));
    return { ...common, nodes, scale, deployed: false, ...(savable ? { snapshot } : {}) };
  } catch (error) {
    await Promise.allSettled(
      [...names].map(([target, name]) => request.onFailedStart?.({ name, target }, assumedScale)),
    );
    await end();
    throw error;
  }
}

interface NodeSpec extends CellNode {
  readonly spec: TargetSpec;
  readonly containers: Image['containers'];
  readonly software: readonly MadeFile[];
  readonly unconfigured: Image['unconfigured'];
  readonly onImage: boolean;
}

/** The slowdown assumed before measuring. @throws when this host cannot run such a machine. */
async function assumedSlowdown({ target: kind }: Cell, arch: ArchName, provider: TargetProvider): Promise<number> {
  const { accelerator } = requireUsable(kind, arch, await provider.probe(arch));
  return isEmulated(accelerator) ? architectures[arch].qemu.assumedSlowdown : 1;
}

async function networkOf({ cell, place }: Start): Promise<ClusterNetwork | undefined> {
  if (!isCluster(cell)) return undefined;
  return createNetwork(nodesOf(cell), blanksOf(cell), await leasedFolder(place));
}

/** A cell's blank machines, switched off. */
async function blanksFor(start: Start, network: ClusterNetwork): Promise<StartedBlanks | undefined> {
  const nodes = blanksOf(start.cell);
  if (nodes.length === 0) return undefined;
  return startBlanks(
    nodes,
    async (node) => start.request.provider.blanks!.make(blankSpecOf(start, node, network), await ioOf(start, node)),
    { control: network.socket('blanks'), bmc: network.socket(BMC_SOCKET) },
  );
}

function blankSpecOf({ cell, request }: Start, node: BlankCellNode, network: ClusterNetwork): BlankSpec {
  const { name, arch, blank } = node;
  return {
    cell: cell.name,
    name,
    arch: architectures[arch],
    diskBytes: blank.disk * 2 ** 20,
    memoryBytes: emulatedMemory(arch, blank.memory) * 2 ** 20,
    firmware: firmwareOf(node)!,
    boot: request.images.boot?.get(arch),
    lan: network.cable(name),
  };
}

async function leasedFolder({ lease }: CellPlace): Promise<string> {
  const path = await makeRuntimeFolder();
  lease.register({ kind: 'path', path });
  return path;
}

function specOf(
  { cell, request: { limits, images, cold, counting = false } }: Start,
  node: CellNode,
  assumed: ReadonlyMap<ArchName, number>,
  network: ClusterNetwork | undefined,
): TargetSpec {
  const { suite } = cell;
  const image = images.get(node.arch)!;
  // Machines of a cluster boot at the same time, and the cell waits for the slowest.
  const machines = nodesOf(cell).length;
  const slowest = limits.scale ?? Math.max(...assumed.values());
  return {
    cell: cell.name,
    arch: architectures[node.arch],
    needs: needsOf(suite),
    vcpus: counting ? 1 : suite.machine.vcpus,
    memoryBytes: memoryOf(cell, node) * 2 ** 20,
    ports: [...Object.values(suite.stack.ports), ...deployersOf(suite).flatMap(({ ports }) => ports?.(suite) ?? [])],
    hostname: isCluster(cell) ? node.name : `${node.arch}-${suite.name}`.slice(0, 63).replaceAll(/[._]/g, '-'),
    network: suite.needs.includes('network'),
    // Twice the assumed factor: nothing has been measured yet, and other guests may be booting.
    bootDeadlineMs: scaledMs(suite.timeouts.boot, slowest * (1 + machines)),
    ...('archive' in image ? { system: image } : {}),
    vm: {
      ...('disk' in image ? { image } : {}),
      identity: suite.machine.identity,
      timers: suite.machine.timers,
      snapshots: !cold,
      counting,
      ...(network ? { lan: network.place(node.name) } : {}),
      ...(network && reachesBmc(cell, node) ? { back: { port: BMC_PORT, socket: network.socket(BMC_SOCKET) } } : {}),
    },
  };
}

/** Whether a node is the one that reaches the BMCs of blank nodes. */
function reachesBmc(cell: Cell, { name }: CellNode): boolean {
  return blanksOf(cell).length > 0 && nodesOf(cell)[0].name === name;
}

function snapshotOf({ cell, request, place }: Start, specs: readonly NodeSpec[]): Promise<CellSnapshot | string> {
  const { cache, signal } = place;
  const limitBytes = request.limits['snapshots-gib'] * 2 ** 30;
  return cellSnapshot(cell, request.provider, specs, { cache, limitBytes, signal }, request.tree);
}

async function measure(
  target: Target,
  assumed: number,
  limits: Matrix['limits'],
  phase: (phase: Phase) => void,
): Promise<Scale> {
  if (limits.scale !== undefined) return { factor: limits.scale, source: 'fixed' };
  const started = performance.now();
  const scale = await calibrate(target, assumed, CALIBRATION_MS);
  phase({ name: 'calibration', durationMs: Math.round(performance.now() - started) });
  return scale;
}

/**
 * The factor of resumed machines: the one measured before they were saved, unless that is implausible and they are
 * faster now. A new factor is saved for the next run.
 */
async function scaleAgain(
  { request, io }: Start,
  { nodes, scale }: Pick<StartedCell, 'nodes' | 'scale'>,
  assumed: ReadonlyMap<ArchName, number>,
  snapshot: CellSnapshot,
  found: FoundSnapshot,
): Promise<Scale> {
  if (!isSuspicious(scale, Math.max(...assumed.values()))) return scale;
  io.progress(`measuring again how slow it is: × ${scale.factor} is much`);
  const again = slowest(
    await Promise.all(nodes.map(({ arch, target }) => measure(target, assumed.get(arch)!, request.limits, io.phase))),
  );
  if (again.factor >= scale.factor) return scale;
  io.say(`deadlines × ${again.factor}, not × ${scale.factor} as when the snapshot was saved: measured again`);
  await snapshot.rescale(found, again);
  return again;
}

/** The factor of a cell is that of its slowest machine. */
function slowest(scales: readonly Scale[]): Scale {
  return scales.reduce((a, b) => (a.factor >= b.factor ? a : b));
}

async function resume(
  start: Start,
  specs: readonly NodeSpec[],
  found: FoundSnapshot,
  started: Target[],
): Promise<Pick<StartedCell, 'nodes' | 'scale' | 'deployed' | 'setUp'>> {
  const { cell, request, place } = start;
  const fixed = request.limits.scale;
  const scale: Scale = fixed === undefined ? found.scale : { factor: fixed, source: 'fixed' };
  const barrier = createBarrier(specs.length);
  const nodes = await each(specs, async ({ spec, ...node }): Promise<StartedNode> => {
    const io = await ioOf(start, node);
    const resumed = await request.provider
      .snapshots!.resume(spec, join(found.folder, node.name), io, barrier)
      .catch((error: Error) => {
        barrier.fail(error);
        throw error;
      });
    const target: Target = { ...resumed, facts: { ...resumed.facts, resumed: found.createdAt } };
    started.push(target);
    const begun = performance.now();
    await awaitReady(target, cell.suite, scale.factor, place.signal);
    io.phase({ name: 'ready', durationMs: Math.round(performance.now() - begun) });
    return { ...node, target };
  });
  return { nodes, scale, deployed: true, setUp: found.setUp };
}

/** Like Promise.all, but rejects only after all have settled, so that the caller can release every machine. */
async function each<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<[R, ...R[]]> {
  const settled = await Promise.allSettled(items.map(work));
  const failed = settled.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return settled.map((result) => (result as PromiseFulfilledResult<R>).value) as [R, ...R[]];
}

/** The warning about something that could not be released. */
export function leftBehind(why: string): string {
  return `something stays behind until the next run or \`harness gc\`: ${why}`;
}

async function ioOf({ cell, place, io }: Start, node: CellNode): Promise<Io> {
  const folder = nodeFolder(cell, place.folder, node.name);
  makeFolder(folder);
  const named = (text: string) => (isCluster(cell) ? `${node.name}: ${text}` : text);
  const { lease, signal, keep } = place;
  return {
    run: lease.run,
    folder,
    signal,
    keep,
    makeRuntimeFolder: () => leasedFolder(place),
    register: async (resource) => lease.register(resource),
    leaveBehind(why) {
      lease.leaveBehind();
      io.warn(leftBehind(why));
    },
    progress: (message) => io.progress(named(message)),
    phase: (phase) => io.phase({ ...phase, name: named(phase.name) }),
  };
}
