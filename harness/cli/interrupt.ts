import { hangupIsIgnored } from '../base/hangup.ts';

/**
 * Milliseconds after a signal in which further ones count as the same request: `timeout` and `kill -- -PGID` signal a
 * whole process group, and our wrapper passes its own on.
 */
const PAUSE_MS = 1500;

/**
 * Ignores a hangup that our parent ignores, for which Node has restored the default, which is to exit; for good,
 * because the work before and after a run must outlive the terminal as well.
 */
export function ignoreHangup(): void {
  if (hangupIsIgnored()) process.on('SIGHUP', () => {});
}

/** The request of a signal. */
export type SignalRequest = 'interrupt' | 'leave' | 'nothing';

/**
 * Interprets signals: the first ends the work, one after a pause exits at once.
 * @param now milliseconds of a clock that only goes forward.
 */
export function signalRequests(now: () => number = () => performance.now()): () => SignalRequest {
  let first: number | undefined;
  return () => {
    if (first === undefined) {
      first = now();
      return 'interrupt';
    }
    return now() - first < PAUSE_MS ? 'nothing' : 'leave';
  };
}

/**
 * Does work that Ctrl-C can end: the first time its signal is aborted, so that it can release its resources; the second
 * time, after a pause, this process exits at once. A hangup that our parent ignores (`nohup`) is ignored.
 */
export async function interruptible<T>(
  options: { readonly quiet: boolean },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const interrupt = new AbortController();
  const request = signalRequests();
  const onSignal = (signal: NodeJS.Signals) => {
    const wanted = request();
    if (wanted === 'nothing') return;
    if (wanted === 'leave') {
      process.stderr.write('\nleft at once; `harness gc` removes the rest\n');
      process.exit(130);
    }
    interrupt.abort(signal);
    if (!options.quiet) process.stderr.write('\ninterrupted: releasing every target; once more leaves at once\n');
  };
  const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', ...(hangupIsIgnored() ? [] : (['SIGHUP'] as const))];
  for (const signal of signals) process.on(signal, onSignal);
  try {
    return await work(interrupt.signal);
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}
