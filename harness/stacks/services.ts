import { StackError } from '../base/errors.ts';
import { lastLines } from '../base/text.ts';
import type { Target } from '../targets/target.ts';

/** `systemctl start` of a unit that is starting waits for it, and starts one that nothing pulled in. */
export async function awaitServices(
  target: Target,
  services: readonly string[],
  deadlineMs: number,
  signal: AbortSignal,
): Promise<void> {
  const started = await target.exec(['systemctl', 'start', ...services], { deadlineMs, signal });
  if (started.exitCode === 0) return;
  const journal = await target.exec(
    ['journalctl', '--no-pager', '--lines=30', ...services.map((service) => `--unit=${service}`)],
    { deadlineMs, signal },
  );
  throw new StackError(`cannot start ${services.join(', ')}: ${lastLines(started.stderr, 1).join('')}`, {
    cause: lastLines(journal.stdout, 30).join('\n'),
    consoleTail: await target.consoleTail(20),
  });
}
