import type { ExecResult } from '../targets/target.ts';
import type { ClockFacts } from './clock.ts';
import { formatMs } from './format-ms.ts';

/** Durations of a command's runs by the guest's clock. */
export interface Timed {
  /** Milliseconds (by a clock that counts: millions of instructions), in order, warm-up included. */
  readonly ms: readonly number[];
  readonly clock: ClockFacts;
}

/**
 * Measures the clock: its smallest step, and the time that reading it takes (the median). Written in Perl, which is in
 * every Debian with a clock of nanoseconds.
 */
const CLOCK = `use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);
open my $out, ">&", STDOUT; open STDOUT, ">", "/dev/null";
my @steps = sort { $a <=> $b } map { my $t = clock_gettime(CLOCK_MONOTONIC); clock_gettime(CLOCK_MONOTONIC) - $t } 1 .. 200;
my ($step) = grep { $_ > 0 } @steps;
unless ($step) { my $t = clock_gettime(CLOCK_MONOTONIC); 1 until ($step = clock_gettime(CLOCK_MONOTONIC) - $t) > 0 }
printf $out "harness-clock %.9f %.9f\\n", $step, $steps[100];
sub run { my $round = shift;
  my $t = clock_gettime(CLOCK_MONOTONIC); my $s = system { $ARGV[0] } @ARGV;
  my $d = clock_gettime(CLOCK_MONOTONIC) - $t;
  if ($s) { printf $out "harness-failed %d %d\\n", $s >> 8 || $s, $round; exit }
  printf $out "harness-timer %.9f\\n", $d;
}
`;

/** Printed when the warm-up is over and the machine has a moment to send it; nothing else is printed until the end. */
export const WARM = 'harness-warm';

/** All samples come from one call: an SSH session before each would take longer than most benchmarks. */
const TIMER = `${CLOCK}my ($warmup, $count) = splice @ARGV, 0, 2;
run($_) for 1 .. $warmup;
$out->autoflush; print $out "${WARM}\\n"; $out->autoflush(0); select undef, undef, undef, 0.05;
run($_) for $warmup + 1 .. $warmup + $count;`;

/** argv that runs a command in the guest `warmup` and `count` times and times each by the guest's own monotonic clock. */
export function timedArgv(argv: readonly string[], warmup: number, count: number): string[] {
  return ['perl', '-MIO::Handle', '-e', TIMER, '--', String(warmup), String(count), ...argv];
}

/**
 * Parses the output of `timedArgv`.
 * @throws Error if a run failed, because the duration of a failed command means nothing; the message has the earlier
 * samples.
 */
export function readTimer(result: ExecResult, count: number, what: string): Timed {
  const ms = [...result.stdout.matchAll(/^harness-timer ([\d.]+)$/gm)].map((match) => Number(match[1]) * 1000);
  const failed = /^harness-failed (-?\d+) (\d+)$/m.exec(result.stdout);
  if (failed) {
    const before = ms.length > 0 ? `, after ${ms.map(formatMs).join(', ')}` : '';
    throw new Error(
      `cannot time \`${what}\`: it exited with ${failed[1]} in run ${failed[2]} of ${count}${before}: ${result.stderr.trim().slice(-300)}`,
    );
  }
  const clock = /^harness-clock ([\d.]+) ([\d.]+)$/m.exec(result.stdout);
  if (ms.length !== count || !clock)
    throw new Error(`cannot time \`${what}\`: ${result.stderr.trim() || `exit code ${result.exitCode}`}`);
  return { ms, clock: { resolutionMs: Number(clock[1]) * 1000, overheadMs: Number(clock[2]) * 1000 } };
}

/**
 * Like the timer, but for a guest whose clock counts instructions. The seeds of hash tables are fixed, because they
 * decide how many instructions a script takes. At the end it prints for how many ticks of 10 ms the machine was idle
 * after the warm-up, and how many requests its disks got meanwhile.
 */
const COUNTER = `${CLOCK}my ($warmup, $count) = splice @ARGV, 0, 2;
$ENV{PERL_HASH_SEED} = $ENV{PYTHONHASHSEED} = 0;
sub idle { open my $stat, "<", "/proc/stat" or die; my @cpu = split " ", scalar <$stat>; $cpu[4] + $cpu[5] }
sub disk { open my $stats, "<", "/proc/diskstats" or die; my $sum = 0; while (<$stats>) { my @d = split; $sum += $d[3] + $d[7] } $sum }
run($_) for 1 .. $warmup;
my ($idle, $disk) = (idle(), disk());
run($_) for $warmup + 1 .. $warmup + $count;
printf $out "harness-idle %d\\nharness-disk %d\\n", idle() - $idle, disk() - $disk;`;

/** argv that runs a command `warmup` and `count` times and counts the instructions of each. */
export function countedArgv(argv: readonly string[], warmup: number, count: number): string[] {
  return ['perl', '-e', COUNTER, '--', String(warmup), String(count), ...argv];
}

/** Disk requests per sample that an idle machine makes; a command that makes more waits for the disk. */
const MOST_REQUESTS = 4;

/** Above this share of idle time the count does not measure the command. */
const MOST_IDLE = 0.1;

/**
 * Parses the output of `countedArgv`: millions of instructions per run, in order, warm-up included. They are those of
 * the whole machine: of the kernel, its timer, and anything else that runs.
 * @throws Error if a run failed, or the machine waited for a disk, the network or a timer. Then no instruction is
 * executed and the clock leaps to the next event, so that the same work gives a different figure each time. Whether the
 * disk answers before the guest is idle depends on the host, so disk requests are counted instead.
 */
export function readCounter(result: ExecResult, warmup: number, count: number, what: string): Timed {
  const timed = readTimer(result, warmup + count, what);
  const refuse = (why: string) =>
    new Error(
      `cannot count the instructions of \`${what}\`: ${why}. Measure it with the guest's clock instead: measure.inGuest`,
    );
  const requests = Number(/^harness-disk (\d+)$/m.exec(result.stdout)?.[1]);
  if (!(requests <= MOST_REQUESTS * count))
    throw refuse(`it waits for the disk, ${Math.round(requests / count)} times a run`);
  const idleMs = 10 * Number(/^harness-idle (\d+)$/m.exec(result.stdout)?.[1]);
  const takenMs = timed.ms.slice(warmup).reduce((sum, ms) => sum + ms, 0);
  // Idle time is counted in ticks: two of them may be rounding.
  if (!(idleMs <= 20 || idleMs <= MOST_IDLE * takenMs))
    throw refuse(
      `the machine was idle for ${Math.round((100 * idleMs) / Math.max(idleMs, takenMs))} % of the time, waiting for the network or a timer`,
    );
  return timed;
}
