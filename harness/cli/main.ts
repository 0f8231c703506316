import { InfraError } from '../base/errors.ts';
import { isSystemError, systemErrorText } from '../base/system-error.ts';
import { reportFailure, reportWarning } from './failure.ts';
import { ignoreHangup } from './interrupt.ts';
import { watchOutput } from './output.ts';
import { type Outcome, program } from './program.ts';

const output = watchOutput();
ignoreHangup();
// An unhandled rejection ends the process with the exit code of its cause, too: Node's own would be 1.
process.on('uncaughtException', (error) => process.exit(reportFailure(error)));

// The one place where a command's outcome becomes an exit code; `exitCode`, not `exit()`, so that output is flushed.
let outcome: Outcome;
try {
  outcome = await program(process.argv.slice(2));
} catch (error) {
  outcome = { exitCode: reportFailure(error), byCells: false };
}
const lost = await output.flushed();
if (lost !== undefined) {
  const why = isSystemError(lost) ? systemErrorText(lost).message.replace(/^cannot \S+: /, '') : lost.message;
  const failure = new InfraError(`cannot write to the standard output: ${why}`);
  // A command that only prints has failed if its output fails; decisions of cells stand.
  if (outcome.exitCode === 0 && !outcome.byCells) outcome = { ...outcome, exitCode: reportFailure(failure) };
  else reportWarning(failure);
}
process.exitCode = outcome.exitCode;
