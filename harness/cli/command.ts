import type { Command } from 'commander';

/** A command of the command line. Its file declares what it takes, and does it; `program.ts` has the list. */
export interface CliCommand {
  /** Its words: `run`, `images build`. */
  readonly name: string;
  /** Adds its arguments, options, description and examples. */
  readonly declare: (command: Command) => Command;
  /**
   * Does it, with the declared arguments and then the options, and resolves with the exit code.
   * Commander's types say nothing of what was declared; they are matched by hand.
   */
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly act: (...args: any[]) => Promise<number>;
  /** Cells decide its exit code; problems with reports or output do not change it. */
  readonly byCells?: true;
  /** It takes a command to run after `--`; `shell` parses its own. */
  readonly takesCommand?: true;
}
