/** The state of this process's output streams. */
export interface Output {
  /** Resolves once everything written to stdout is flushed, with the error if there was one. */
  flushed(): Promise<Error | undefined>;
}

/**
 * Keeps a broken output stream from ending the process in the middle of its work. A reader that closes our stdout
 * (`harness images list | head`) is not an error. A stdout on a full disk is, and is reported at the end. Errors of
 * stderr cannot be reported.
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
      // Errors of a file are emitted in a later tick.
      await new Promise((resolve) => setImmediate(resolve));
      return failure;
    },
  };
}
