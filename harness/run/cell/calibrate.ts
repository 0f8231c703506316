import { execa } from 'execa';
import { InfraError } from '../../base/errors.ts';
import { lastLines } from '../../base/text.ts';
import type { CellScale } from '../../events/types.ts';
import type { Target } from '../../targets/target.ts';

/**
 * The work that is timed on this host and in the guest: arithmetic, and starting processes, which is what deployments
 * mostly do. Prints the milliseconds it took by the local clock.
 */
const LOOP = `use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);
my $t = clock_gettime(CLOCK_MONOTONIC); my $x = 0;
for my $i (1 .. 300_000) { $x = ($x * 31 + $i) % 65_521 }
for (1 .. 10) { system("/bin/true") }
printf "%.3f", 1000 * (clock_gettime(CLOCK_MONOTONIC) - $t);`;

/** Bounds of a measured factor: a guest is never faster than this host, and a larger factor is a mistake. */
export const SCALE_BOUNDS = { least: 1, most: 100 } as const;

/** A saved factor is trusted up to this many times the factor assumed for the architecture. */
const TRUSTED_RATIO = 1.5;

/**
 * Whether a factor that was saved with a machine should be measured again: one that was measured on a busy host would
 * stretch the deadlines of every later run.
 * @param assumed the factor assumed for such a machine before measuring.
 */
export function isSuspicious({ factor, source }: Pick<CellScale, 'factor' | 'source'>, assumed: number): boolean {
  return source !== 'fixed' && factor > TRUSTED_RATIO * Math.max(assumed, SCALE_BOUNDS.least);
}

let hostReference: Promise<number> | undefined;

/** Milliseconds that the loop takes on this host: the best of three, measured once a process. */
function hostMs(): Promise<number> {
  hostReference ??= (async () => {
    const times: number[] = [];
    for (let round = 0; round < 3; round++) {
      const { stdout, exitCode } = await execa('perl', ['-e', LOOP], { reject: false, timeout: 30_000 });
      if (exitCode !== 0)
        throw new InfraError('cannot calibrate: perl does not run on this host', { hint: 'apt-get install perl-base' });
      times.push(Number(stdout));
    }
    return Math.min(...times);
  })();
  return hostReference;
}

/**
 * How many times slower than this host a target is. The factor multiplies every deadline of the suite.
 * @param least lower bound, for work that is slower in a guest than the measuring loop.
 */
export async function calibrate(
  target: Target,
  least: number,
  deadlineMs: number,
): Promise<Omit<CellScale, 'type' | 'cell'>> {
  const host = await hostMs();
  const result = await target.exec(['perl', '-e', LOOP], { deadlineMs });
  const guest = Number(result.stdout);
  if (result.exitCode !== 0 || !(guest > 0)) {
    const said = lastLines(result.stdout, 3).join(' / ').slice(0, 200);
    const why =
      result.exitCode === 0 && Number.isNaN(guest)
        ? `it printed ${JSON.stringify(said)}, which is no number of milliseconds`
        : lastLines(result.stderr, 5).join('\n') || 'its clock stands still';
    throw new InfraError(`cannot calibrate the target: ${why}`);
  }
  const measured = guest / host;
  const factor = Math.min(Math.max(measured, least, SCALE_BOUNDS.least), SCALE_BOUNDS.most);
  return {
    factor: Number(factor.toFixed(2)),
    source: factor === measured ? 'measured' : 'bounded',
    hostMs: host,
    guestMs: guest,
  };
}
