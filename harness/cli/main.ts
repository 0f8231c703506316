import { reportFailure } from './failure.ts';
import { program } from './program.ts';

// The one place where a command's outcome becomes an exit code; `exitCode`, not `exit()`, so that output is flushed.
try {
  process.exitCode = await program(process.argv.slice(2));
} catch (error) {
  process.exitCode = reportFailure(error);
}
