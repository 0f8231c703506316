/**
 * Does work that Ctrl-C ends: the first time its signal is aborted, so that it can release what it holds; the second time
 * this process leaves at once.
 */
export async function interruptible<T>(
  options: { readonly quiet: boolean },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const interrupt = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    if (interrupt.signal.aborted) {
      process.stderr.write('\nleft at once; `harness gc` removes what is still there\n');
      process.exit(130);
    }
    interrupt.abort(signal);
    if (!options.quiet) process.stderr.write('\ninterrupted: releasing every target; once more leaves at once\n');
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onSignal);
  try {
    return await work(interrupt.signal);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal).off('SIGHUP', onSignal);
  }
}
