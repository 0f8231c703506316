/** What became of this process's output streams. */
export interface Output {
  /** Resolves once everything that was written to stdout is out, with what kept it from getting there. */
  flushed(): Promise<Error | undefined>;
}

/**
 * Keeps a stream that cannot be written to from ending the process in the middle of what it does. Whoever reads our
 * stdout may have seen enough (`harness images list | head`): that is no error. A stdout on a full disk is one, to be
 * told at the end. What cannot be said on stderr cannot be said.
 */
export function watchOutput(): Output {
  let failure: Error | undefined;
  process.stderr.on('error', () => {});
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') failure ??= error;
  });
  return {
    async flushed() {
      if (!process.stdout.destroyed && process.stdout.writableLength > 0)
        await new Promise((resolve) => process.stdout.write('', resolve));
      // Errors of a file are told in a tick of their own.
      await new Promise((resolve) => setImmediate(resolve));
      return failure;
    },
  };
}
