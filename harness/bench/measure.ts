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

/**
 * As `timedArgv`, in a guest whose clock counts instructions. The seeds of hash tables are fixed, for they decide how many
 * instructions a script takes. At the end it says for how many ticks of 10 ms the machine was idle after the warm-up, and
 * how many requests its disks got meanwhile.
 */
const COUNTER = `use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);
my ($warmup, $count) = splice @ARGV, 0, 2; open my $out, ">&", STDOUT; open STDOUT, ">", "/dev/null";
$ENV{PERL_HASH_SEED} = $ENV{PYTHONHASHSEED} = 0;
sub idle { open my $stat, "<", "/proc/stat" or die; my @cpu = split " ", scalar <$stat>; $cpu[4] + $cpu[5] }
sub disk { open my $stats, "<", "/proc/diskstats" or die; my $sum = 0; while (<$stats>) { my @d = split; $sum += $d[3] + $d[7] } $sum }
my ($idle, $disk);
for my $round (1 .. $warmup + $count) {
  ($idle, $disk) = (idle(), disk()) if $round == $warmup + 1;
  my $t = clock_gettime(CLOCK_MONOTONIC); my $s = system { $ARGV[0] } @ARGV;
  my $d = clock_gettime(CLOCK_MONOTONIC) - $t;
  if ($s) { printf $out "harness-failed %d\\n", $s >> 8 || $s; last }
  printf $out "harness-timer %.9f\\n", $d;
}
printf $out "harness-idle %d\\nharness-disk %d\\n", idle() - $idle, disk() - $disk;`;

/** argv that runs a command `warmup` and `count` times and counts the instructions of each. */
export function countedArgv(argv: readonly string[], warmup: number, count: number): string[] {
  return ['perl', '-e', COUNTER, '--', String(warmup), String(count), ...argv];
}

/** Requests to a disk a sample that a machine makes by itself; a command that makes more waits for it. */
const MOST_REQUESTS = 4;

/** A machine that waits for more than this share of the time is not measured by what it executes. */
const MOST_IDLE = 0.1;

/**
 * Millions of instructions of the runs of a command under `countedArgv`, in order, warm-up included. They are those of the
 * whole machine meanwhile: the kernel's, its timer's, and those of whatever else runs.
 * @throws Error when a run failed, or the machine waited: for a disk, the network or a timer. No instruction is executed
 * meanwhile, and the clock leaps to whatever comes next, so that the same work gives another figure each time. Whether an
 * answer of the disk comes before the guest is idle is up to the host, so its requests are counted instead.
 */
export function countedMillions(result: ExecResult, warmup: number, count: number, what: string): number[] {
  const millions = timedMs(result, warmup + count, what);
  const refuse = (why: string) =>
    new Error(
      `cannot count the instructions of \`${what}\`: ${why}. Measure it with the guest's clock instead: measure.inGuest`,
    );
  const requests = Number(/^harness-disk (\d+)$/m.exec(result.stdout)?.[1]);
  if (!(requests <= MOST_REQUESTS * count))
    throw refuse(`it waits for the disk, ${Math.round(requests / count)} times a run`);
  const idleMs = 10 * Number(/^harness-idle (\d+)$/m.exec(result.stdout)?.[1]);
  const takenMs = millions.slice(warmup).reduce((sum, ms) => sum + ms, 0);
  // Idle time is told in ticks: two of them may be none.
  if (!(idleMs <= 20 || idleMs <= MOST_IDLE * takenMs))
    throw refuse(
      `the machine was idle for ${Math.round((100 * idleMs) / Math.max(idleMs, takenMs))} % of the time, waiting for the network or a timer`,
    );
  return millions;
}
