import { Bench } from 'tinybench';
import type { BenchClock, Measurement } from '../events/types.ts';
import type { ExecResult } from '../targets/target.ts';

export interface MeasureOptions {
  readonly name: string;
  readonly samples: number;
  readonly warmup: number;
  readonly operations: number;
  readonly per?: string | undefined;
  readonly clock: BenchClock;
}

/**
 * Takes samples through tinybench. `sample` returns its own duration in milliseconds, because the clock may stand in
 * the guest. The samples are kept here in the order taken: tinybench sorts the ones that it keeps, and an order shows
 * drift. A sample that throws ends the measurement; those before it are lost with it, on purpose: half a measurement
 * is not one.
 */
export async function measure(sample: () => Promise<number>, options: MeasureOptions): Promise<Measurement> {
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
  const warnings: string[] = [];
  bench.add(
    options.name,
    async () => {
      const overriddenDuration = await sample();
      taken.push(overriddenDuration);
      return { overriddenDuration };
    },
    // Without it tinybench calls the function once more to find out.
    { async: true },
  );
  await bench.run();
  const samplesMs = taken.slice(-options.samples);
  if (samplesMs.some((ms) => !(ms > 0)))
    warnings.push('the clock did not advance in some samples: make a sample longer');
  return {
    name: options.name,
    clock: options.clock,
    samplesMs,
    operations: options.operations,
    ...(options.per === undefined ? {} : { per: options.per }),
    warmupSamples: taken.length - samplesMs.length,
    warnings,
  };
}

/**
 * Runs a command so many times and prints how long each took by the guest's monotonic clock. All samples come from one
 * call: a session of SSH before each would take longer than most of what is measured. perl-base is in every Debian.
 */
const TIMER = `use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);
my $count = shift; open my $out, ">&", STDOUT; open STDOUT, ">", "/dev/null";
for (1 .. $count) {
  my $t = clock_gettime(CLOCK_MONOTONIC); my $s = system { $ARGV[0] } @ARGV;
  my $d = clock_gettime(CLOCK_MONOTONIC) - $t;
  if ($s) { printf $out "harness-failed %d\\n", $s >> 8 || $s; last }
  printf $out "harness-timer %.9f\\n", $d;
}`;

/** argv that runs a command in the guest `count` times and times it by the guest's own clock. */
export function timedArgv(argv: readonly string[], count: number): string[] {
  return ['perl', '-e', TIMER, '--', String(count), ...argv];
}

/**
 * The milliseconds that the runs of a command under `timedArgv` took, in order.
 * @throws Error when one of them failed: the duration of a failed command measures nothing.
 */
export function timedMs(result: ExecResult, count: number, what: string): number[] {
  const failed = /^harness-failed (-?\d+)$/m.exec(result.stdout);
  if (failed)
    throw new Error(`cannot time \`${what}\`: it exited with ${failed[1]}: ${result.stderr.trim().slice(-300)}`);
  const times = [...result.stdout.matchAll(/^harness-timer ([\d.]+)$/gm)].map((match) => Number(match[1]) * 1000);
  if (times.length !== count)
    throw new Error(`cannot time \`${what}\`: ${result.stderr.trim() || `exit code ${result.exitCode}`}`);
  return times;
}
