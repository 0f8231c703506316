import { reportFailure } from './failure.ts';
import { program } from './program.ts';

// Whoever reads our output may have seen enough: `harness images list | head`.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

// The one place where a command's outcome becomes an exit code; `exitCode`, not `exit()`, so that output is flushed.
try {
  process.exitCode = await program(process.argv.slice(2));
} catch (error) {
  process.exitCode = reportFailure(error);
}
