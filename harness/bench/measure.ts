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
  /** How finely that clock tells. */
  readonly clockFacts: ClockFacts;
  /** What the host has given the machine until now. */
  readonly hostTime?: (() => HostTime | undefined) | undefined;
  /** Where the samples were taken before: the share of that time for which the machine waited for the host. */
  readonly waited?: number | undefined;
}

/**
 * Takes samples through tinybench. `sample` returns its own duration in milliseconds, because the clock may stand in
 * the guest. The samples are kept here in the order taken: tinybench sorts the ones that it keeps, and an order shows
 * drift. A sample that fails ends the measurement, for half a measurement is not one; the error has those before it.
 * @throws RangeError for options that are no measurement; what `sample` throws, saying which sample it was; Error for a
 * duration that is no number, or that the clock cannot tell.
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

/** A machine that waited for more than this share of the time was measured on a busy host. */
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
    // The error stays what it is: its class decides the verdict, and an assertion has more to show than its message.
    thrown.message = `${thrown.message} (${where}${before})`;
    throw thrown;
  }
  if (!Number.isFinite(ms) || ms < 0) throw new Error(`cannot measure: ${where} took ${ms} ms${before}`);
  return ms;
}
