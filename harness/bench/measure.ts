import { Bench } from 'tinybench';
import { messageOf } from '../base/errors.ts';
import { type HostTime, waitedShare } from '../base/host-time.ts';
import type { BenchClock, Measurement } from '../events/types.ts';
import { type ClockFacts, refuseShort } from './clock.ts';
import { formatMs } from './format-ms.ts';

export interface MeasureOptions {
  readonly name: string;
  /** How many samples, 1 or more. */
  readonly samples: number;
  /** Samples taken first and not counted. */
  readonly warmup: number;
  /** Operations in one sample, 1 or more. */
  readonly operations: number;
  readonly per?: string | undefined;
  readonly clock: BenchClock;
  /** The precision of that clock. */
  readonly clockFacts: ClockFacts;
  /** Reads the host's scheduler times of the machine. */
  readonly hostTime?: (() => HostTime | undefined) | undefined;
  /** For earlier samples: the share of their time that the machine waited for the host. */
  readonly waited?: number | undefined;
}

/**
 * Takes samples through tinybench. `sample` returns its own duration in milliseconds, because the clock may be the
 * guest's. Samples are kept in the order taken, which shows drift; tinybench sorts its own. A sample that fails ends
 * the measurement, because half a measurement is none; the error has the samples before it.
 * @throws RangeError for invalid options; the error of `sample`, with the number of the sample; Error for an invalid
 * duration, or one too short for the clock.
 */
export async function measure(sample: () => Promise<number>, options: MeasureOptions): Promise<Measurement> {
  checkOptions(options);
  const taken: number[] = [];
  const bench = new Bench({
    name: options.name,
    time: 0,
    iterations: options.samples,
    warmup: options.warmup > 0,
    warmupTime: 0,
    warmupIterations: options.warmup,
    throws: true,
  });
  bench.add(
    options.name,
    async () => {
      const overriddenDuration = await sampleOf(sample, taken, options);
      taken.push(overriddenDuration);
      return { overriddenDuration };
    },
    // Without it tinybench calls the function once more to find out.
    { async: true },
  );
  const before = options.hostTime?.();
  await bench.run();
  const waited = options.waited ?? waitedShare(before, options.hostTime?.());
  const samplesMs = taken.slice(-options.samples);
  refuseShort(options.name, samplesMs, options.clockFacts);
  return {
    name: options.name,
    clock: options.clock,
    samplesMs,
    operations: options.operations,
    ...(options.per === undefined ? {} : { per: options.per }),
    warmupSamples: taken.length - samplesMs.length,
    ...(waited === undefined ? {} : { waited }),
    warnings:
      waited !== undefined && waited > MOST_WAITED && options.clock !== 'instructions'
        ? [`the host's processors were busy with something else for ${Math.round(100 * waited)} % of the time`]
        : [],
  };
}

/** Above this share of waiting, the host was busy during the measurement. */
const MOST_WAITED = 0.1;

function checkOptions({ name, samples, warmup, operations }: MeasureOptions): void {
  const check = (what: string, value: number, least: number) => {
    if (!(Number.isInteger(value) && value >= least))
      throw new RangeError(`cannot measure "${name}": \`${what}\` is ${value}, and a whole number from ${least}`);
  };
  check('samples', samples, 1);
  check('warmup', warmup, 0);
  check('operations', operations, 1);
}

async function sampleOf(
  sample: () => Promise<number>,
  taken: readonly number[],
  { name, samples, warmup }: MeasureOptions,
): Promise<number> {
  const where = `sample ${taken.length + 1} of ${warmup + samples} of "${name}", warm-up included`;
  const before = taken.length > 0 ? `; before it: ${taken.map(formatMs).join(', ')}` : '';
  let ms: number;
  try {
    ms = await sample();
  } catch (error) {
    const thrown = error instanceof Error ? error : new Error(messageOf(error));
    // The error keeps its class, which decides the verdict, and an assertion's details.
    thrown.message = `${thrown.message} (${where}${before})`;
    throw thrown;
  }
  if (!Number.isFinite(ms) || ms < 0) throw new Error(`cannot measure: ${where} took ${ms} ms${before}`);
  return ms;
}
