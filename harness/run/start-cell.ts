import { mkdir } from 'node:fs/promises';
import { architectures } from '../arch/index.ts';
import { InfraError, UnsupportedError } from '../base/errors.ts';
import { makeRuntimeFolder } from '../base/folders.ts';
import { scaledMs } from '../base/time.ts';
import type { Matrix } from '../config/suite.ts';
import type { CellScale, Phase } from '../events/types.ts';
import type { Image } from '../images/build.ts';
import type { Cell } from '../matrix/cell.ts';
import type { Target } from '../targets/target.ts';
import { vmProvider } from '../targets/vm/provider.ts';
import { calibrate } from './calibrate.ts';
import type { Lease } from './lease.ts';

export interface StartCellOptions {
  readonly matrix: Matrix;
  readonly cache: string;
  /** The cell's folder, absolute. */
  readonly folder: string;
  readonly lease: Lease;
  readonly image: Image;
  readonly keep: boolean;
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
  readonly phase: (phase: Phase) => void;
}

/** Milliseconds for the calibrating loop, which takes a second on a slow target. */
const CALIBRATION_MS = 120_000;

/** Acquires a cell's target and measures how slow it is. */
export async function startCell(
  { arch: name, suite, target: kind, name: cell }: Cell,
  options: StartCellOptions,
): Promise<{ target: Target; scale: Omit<CellScale, 'type' | 'cell'> }> {
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
  const target = await provider.acquire(
    {
      cell,
      arch,
      vcpus: suite.machine.vcpus,
      memoryBytes: suite.machine.memory * 2 ** 20,
      ports: Object.values(suite.stack.ports),
      hostname: `${name}-${suite.name}`.slice(0, 63).replaceAll(/[._]/g, '-'),
      image: options.image,
      network: suite.needs.includes('network'),
      // Twice: nothing has been measured yet, and other guests may be booting.
      bootDeadlineMs: scaledMs(suite.timeouts.boot, (fixed ?? assumed) * 2),
    },
    {
      folder: options.folder,
      runtimeFolder: await makeRuntimeFolder(),
      signal: options.signal,
      keep: options.keep,
      register: async (resource) => options.lease.register(resource),
      progress: options.progress,
      phase: options.phase,
    },
  );
  try {
    const started = performance.now();
    const scale =
      fixed === undefined
        ? await calibrate(target, assumed, CALIBRATION_MS)
        : { factor: fixed, source: 'fixed' as const };
    options.phase({ name: 'calibration', durationMs: Math.round(performance.now() - started) });
    return { target, scale };
  } catch (error) {
    await target[Symbol.asyncDispose]();
    throw error;
  }
}
