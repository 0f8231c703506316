import type { ExecResult } from '../targets/target.ts';
import type { ClockFacts } from './clock.ts';
import { formatMs } from './format-ms.ts';

/** What a command's runs took by the guest's clock. */
export interface Timed {
  /** Milliseconds (by a clock that counts: millions of instructions), in order, warm-up included. */
  readonly ms: readonly number[];
  readonly clock: ClockFacts;
}

/**
 * Says how finely the clock tells: the least step that it takes, and what reading it takes (the median). Perl, which is in
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

/** All samples come from one call: a session of SSH before each would take longer than most of what is measured. */
const TIMER = `${CLOCK}my ($warmup, $count) = splice @ARGV, 0, 2;
run($_) for 1 .. $warmup;
$out->autoflush; print $out "${WARM}\\n"; $out->autoflush(0); select undef, undef, undef, 0.05;
run($_) for $warmup + 1 .. $warmup + $count;`;

/** argv that runs a command in the guest `warmup` and `count` times and times each by the guest's own monotonic clock. */
export function timedArgv(argv: readonly string[], warmup: number, count: number): string[] {
  return ['perl', '-MIO::Handle', '-e', TIMER, '--', String(warmup), String(count), ...argv];
}

/**
 * What the runs of a command under `timedArgv` took.
 * @throws Error when one of them failed, for the duration of a failed command measures nothing; the message has the
 * samples before it.
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
 * As the timer, in a guest whose clock counts instructions. The seeds of hash tables are fixed, for they decide how many
 * instructions a script takes. At the end it says for how many ticks of 10 ms the machine was idle after the warm-up, and
 * how many requests its disks got meanwhile.
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
  // Idle time is told in ticks: two of them may be none.
  if (!(idleMs <= 20 || idleMs <= MOST_IDLE * takenMs))
    throw refuse(
      `the machine was idle for ${Math.round((100 * idleMs) / Math.max(idleMs, takenMs))} % of the time, waiting for the network or a timer`,
    );
  return timed;
}
