import { mkdir } from 'node:fs/promises';
import { architectures } from '../arch/index.ts';
import { InfraError, UnsupportedError } from '../base/errors.ts';
import { makeRuntimeFolder } from '../base/folders.ts';
import { scaledMs } from '../base/time.ts';
import type { Matrix } from '../config/suite.ts';
import type { Phase } from '../events/types.ts';
import type { Image } from '../images/build.ts';
import type { Cell } from '../matrix/cell.ts';
import { awaitReady } from '../stacks/ready.ts';
import type { Io, Target, TargetProvider } from '../targets/target.ts';
import { type VmSpec, vmProvider } from '../targets/vm/provider.ts';
import { calibrate } from './calibrate.ts';
import type { Lease } from './lease.ts';
import { type CellSnapshot, cellSnapshot, droppedMessage, type FoundSnapshot, type Scale } from './snapshots.ts';

export interface StartCellOptions {
  readonly matrix: Matrix;
  readonly cache: string;
  /** The cell's folder, absolute. */
  readonly folder: string;
  readonly lease: Lease;
  readonly image: Image;
  readonly keep: boolean;
  /** Neither use nor make a snapshot. */
  readonly cold: boolean;
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
  readonly phase: (phase: Phase) => void;
  /** Something that people should know and that does not stop the cell. */
  readonly warn: (message: string) => void;
}

/** A cell's machine, and how slow it is. */
export interface StartedCell {
  readonly target: Target;
  readonly scale: Scale;
  /** True when it was resumed: its stack is deployed and ready. */
  readonly deployed: boolean;
  /** Where to save it once its stack is deployed; absent when it cannot be, or need not be. */
  readonly snapshot?: CellSnapshot;
}

/** Milliseconds for the calibrating loop, which takes a second on a slow target. */
const CALIBRATION_MS = 120_000;

/** Acquires a cell's target: resumed from its snapshot if there is a good one, else booted, and measured. */
export async function startCell(cell: Cell, options: StartCellOptions): Promise<StartedCell> {
  const { arch: name, suite, target: kind } = cell;
  const arch = architectures[name];
  const provider = vmProvider(options.cache);
  const availability = await provider.probe(name);
  if (availability.state === 'missing')
    throw new InfraError(`cannot start a ${kind}: ${availability.what} is missing`, { hint: availability.install });
  if (availability.state === 'impossible')
    throw new UnsupportedError(`a ${kind} of ${name} is not possible here: ${availability.why}`);
  const fixed = options.matrix.limits.scale;
  const assumed = availability.accelerator === 'tcg' ? arch.qemu.assumedSlowdown : 1;
  await mkdir(options.folder, { recursive: true });
  const spec: VmSpec = {
    cell: cell.name,
    arch,
    vcpus: suite.machine.vcpus,
    memoryBytes: suite.machine.memory * 2 ** 20,
    ports: Object.values(suite.stack.ports),
    hostname: `${name}-${suite.name}`.slice(0, 63).replaceAll(/[._]/g, '-'),
    image: options.image,
    network: suite.needs.includes('network'),
    snapshots: !options.cold,
    // Twice: nothing has been measured yet, and other guests may be booting.
    bootDeadlineMs: scaledMs(suite.timeouts.boot, (fixed ?? assumed) * 2),
  };
  const snapshot = options.cold ? '--cold' : await snapshotOf(cell, provider, spec, options);
  const found = typeof snapshot === 'string' ? undefined : await snapshot.find();
  if (typeof snapshot !== 'string' && found) {
    try {
      return await resume(cell, provider, spec, found, options);
    } catch (error) {
      options.signal.throwIfAborted();
      options.warn(droppedMessage(error));
      await snapshot.drop(found);
    }
  }
  // A snapshot may only ever make a run faster: where it cannot be saved, memory stays as it is fastest.
  const savable = typeof snapshot !== 'string';
  const target = await provider.acquire({ ...spec, snapshots: savable }, await ioOf(options));
  try {
    const started = performance.now();
    const scale: Scale =
      fixed === undefined
        ? await calibrate(target, assumed, CALIBRATION_MS)
        : { factor: fixed, source: 'fixed' as const };
    options.phase({ name: 'calibration', durationMs: Math.round(performance.now() - started) });
    return { target, scale, deployed: false, ...(savable ? { snapshot } : {}) };
  } catch (error) {
    await target[Symbol.asyncDispose]();
    throw error;
  }
}

function snapshotOf(
  cell: Cell,
  provider: TargetProvider<VmSpec>,
  spec: VmSpec,
  { cache, matrix, signal }: StartCellOptions,
): Promise<CellSnapshot | string> {
  return cellSnapshot(cell, provider, spec, { cache, limitBytes: matrix.limits['snapshots-gib'] * 2 ** 30, signal });
}

async function resume(
  { suite }: Cell,
  provider: TargetProvider<VmSpec>,
  spec: VmSpec,
  found: FoundSnapshot,
  options: StartCellOptions,
): Promise<StartedCell> {
  const resumed = await provider.resume!(spec, found.folder, await ioOf(options));
  const target: Target = { ...resumed, facts: { ...resumed.facts, resumed: found.createdAt } };
  try {
    const fixed = options.matrix.limits.scale;
    const scale: Scale = fixed === undefined ? found.scale : { factor: fixed, source: 'fixed' };
    const started = performance.now();
    await awaitReady(target, suite, scale.factor, options.signal);
    options.phase({ name: 'ready', durationMs: Math.round(performance.now() - started) });
    return { target, scale, deployed: true };
  } catch (error) {
    await target[Symbol.asyncDispose]();
    throw error;
  }
}

async function ioOf(options: StartCellOptions): Promise<Io> {
  return {
    folder: options.folder,
    runtimeFolder: await makeRuntimeFolder(),
    signal: options.signal,
    keep: options.keep,
    register: async (resource) => options.lease.register(resource),
    progress: options.progress,
    phase: options.phase,
  };
}
