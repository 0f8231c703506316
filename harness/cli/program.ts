import { Command, CommanderError } from 'commander';
import { version } from '../base/package.ts';
import type { CliCommand } from './command.ts';
import { attachCommand } from './commands/attach.ts';
import { cancelCommand } from './commands/cancel.ts';
import { compareCommand } from './commands/compare.ts';
import { COMPLETE, complete, completionCommand } from './commands/completion.ts';
import { doctorCommand } from './commands/doctor.ts';
import { explainCommand } from './commands/explain.ts';
import { exportCommand } from './commands/export.ts';
import { gcCommand } from './commands/gc.ts';
import { historyAddCommand, historyJobsCommand, historyListCommand } from './commands/history.ts';
import { imagesBuildCommand, imagesGcCommand, imagesListCommand } from './commands/images.ts';
import { initCommand } from './commands/init.ts';
import { listCommand } from './commands/list.ts';
import { matrixCommand } from './commands/matrix.ts';
import { mergeCommand } from './commands/merge.ts';
import { historyPageCommand, nightlyCommand } from './commands/nightly.ts';
import { openCommand } from './commands/open.ts';
import { reportCommand } from './commands/report.ts';
import { resumeCommand } from './commands/resume.ts';
import { runCommand } from './commands/run.ts';
import { schemaCommand } from './commands/schema.ts';
import { shellCommand } from './commands/shell.ts';
import { historySiteCommand } from './commands/site.ts';
import { versionCommand } from './commands/version.ts';

/** The commands, in the order of the help. */
const commands: readonly CliCommand[] = [
  runCommand,
  listCommand,
  attachCommand,
  cancelCommand,
  doctorCommand,
  imagesBuildCommand,
  imagesListCommand,
  imagesGcCommand,
  shellCommand,
  explainCommand,
  reportCommand,
  compareCommand,
  historyAddCommand,
  historyListCommand,
  historyJobsCommand,
  historyPageCommand,
  historySiteCommand,
  nightlyCommand,
  exportCommand,
  matrixCommand,
  mergeCommand,
  gcCommand,
  schemaCommand,
  initCommand,
  openCommand,
  resumeCommand,
  completionCommand,
  versionCommand,
];

/** What the first words of commands of two are about. */
const groups: Readonly<Record<string, string>> = {
  images: 'build, list and remove images',
  history: 'keep runs for later comparisons',
};

// Commander calls an action with the declared arguments.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Action = (...args: any[]) => Promise<void>;

/**
 * The command line as data.
 * @param act makes the action of a command; a parameter so that examples can be parsed without being run.
 */
export function buildProgram(act: (command: CliCommand) => Action): Command {
  const harness = new Command('harness')
    .description('Runs the same scenarios and benchmarks on amd64, arm64 and ppc64le, and reports what differs.')
    .version(version)
    .showSuggestionAfterError()
    .showHelpAfterError('(harness --help lists the commands)')
    .exitOverride()
    .addHelpText(
      'after',
      `
Examples:
  harness run --arch arm64                  the project's matrix, or quickstart, on arm64 only
  harness run matrices/smoke.yaml --jobs 2
  harness list --only '*/vm/web'            what would run, without starting anything
  harness doctor                            what works on this machine, and what is missing
  harness shell arm64/vm/web                a shell in that cell's guest

Exit codes: 0 passed, 1 a voting cell failed, 2 configuration or usage, 3 infrastructure, 4 incomplete,
5 a new regression (nightly), 130 interrupted.`,
    );

  for (const one of commands) {
    const words = one.name.split(' ');
    const parent = words.length === 1 ? harness : groupOf(harness, words[0]!);
    one.declare(parent.command(words.at(-1)!)).action(act(one));
  }
  return harness;
}

/** The command whose commands begin with a word. */
function groupOf(harness: Command, word: string): Command {
  return harness.commands.find((one) => one.name() === word) ?? harness.command(word).description(groups[word] ?? '');
}

/** The outcome of a command. */
export interface Outcome {
  /** 0 passed, 1 a voting cell failed, 2 configuration or usage, 3 infrastructure, 4 incomplete, 5 a new regression, 130 interrupted. */
  readonly exitCode: number;
  /** Whether cells decided it; then problems with reports or output do not change it. */
  readonly byCells: boolean;
}

/** First words of commands that take a command to run after `--`. */
const WITH_COMMAND = new Set(commands.flatMap(({ name, takesCommand }) => (takesCommand ? [name.split(' ')[0]!] : [])));

/** Splits the words before `--` from the command after it, for commands that take one. */
export function splitCommand(argv: readonly string[]): { words: readonly string[]; command?: readonly string[] } {
  const cut = argv.indexOf('--');
  if (cut < 0 || !WITH_COMMAND.has(argv[0] ?? '')) return { words: argv };
  return { words: argv.slice(0, cut), command: argv.slice(cut + 1) };
}

/**
 * Turns `help images build` into the command that prints it: commander's own `help` looks at one word, and prints the general
 * help without comment if it does not know that. An unknown name is left as a command, whose error suggests a known one.
 */
export function helpWords(words: readonly string[], harness: Command): readonly string[] {
  const [first, ...names] = words;
  if (first !== 'help') return words;
  let at = harness;
  for (const [index, name] of names.entries()) {
    if (name.startsWith('-') || at.commands.length === 0) break;
    const next = at.commands.find((one) => one.name() === name);
    if (next === undefined && name !== 'help') return names.slice(0, index + 1);
    at = next ?? at;
  }
  return [...names.filter((name) => name !== 'help'), '--help'];
}

/** Commander passes arguments, then options, then the command itself: the options get the command to run. */
function withCommand(arg: unknown, command: readonly string[]): unknown {
  const options = typeof arg === 'object' && arg !== null && !(arg instanceof Command) && !Array.isArray(arg);
  return options ? { ...arg, command } : arg;
}

/**
 * Runs the command line. Without arguments it prints the help and succeeds, as `git` and `docker` do.
 */
export async function program(argv: readonly string[]): Promise<Outcome> {
  let outcome: Outcome = { exitCode: 0, byCells: false };
  if (argv[0] === COMPLETE) {
    await complete(
      buildProgram(() => async () => {}),
      argv.slice(2),
    );
    return outcome;
  }
  const { words, command } = splitCommand(argv);
  const harness = buildProgram((one) => async (...args) => {
    const given = command === undefined ? args : args.map((arg) => withCommand(arg, command));
    outcome = { exitCode: await one.act(...given), byCells: one.byCells === true };
  });
  try {
    await harness.parseAsync(words.length === 0 ? ['--help'] : [...helpWords(words, harness)], { from: 'user' });
  } catch (error) {
    // Commander has printed what was wrong; asking for help or the version is not wrong.
    if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? 0 : 2, byCells: false };
    throw error;
  }
  return outcome;
}
