import { Argument, type Command, type Option } from 'commander';
import { optionalReports } from '../../../reports/index.ts';
import { archNames } from '../../arch/index.ts';
import { bundled } from '../../base/package.ts';
import { findProject, listMatrices, listSuites } from '../../config/load/project.ts';
import { releaseNames } from '../../releases/index.ts';
import { RESULTS_FORMATS } from '../../results/index.ts';
import { targetKinds } from '../../targets/kinds.ts';
import { chooseCells } from '../cells.ts';
import type { CliCommand } from '../command.ts';
import { runNames } from '../run-of.ts';

/** The hidden command by which completion scripts ask for the next words. */
export const COMPLETE = '__complete';

/**
 * The scripts ask the program itself, so they know the commands and options of the installed version, and the project's
 * own matrices, suites, cells and runs.
 */
const scripts = {
  bash: `_harness() {
  local IFS=$'\\n'
  COMPREPLY=($("\${COMP_WORDS[0]}" ${COMPLETE} -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _harness harness
`,
  zsh: `#compdef harness
_harness() {
  local -a found
  found=("\${(@f)$("\${words[1]}" ${COMPLETE} -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$found" ]]; then compadd -- "\${found[@]}"; else _files; fi
}
compdef _harness harness
`,
  fish: `function __harness_complete
  set -l before (commandline -opc)
  set -l found ($before[1] ${COMPLETE} -- $before[2..-1] "$(commandline -ct)" 2>/dev/null)
  if test (count $found) -gt 0
    string join \\n -- $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c harness -f -a '(__harness_complete)'
`,
} as const;

export type Shell = keyof typeof scripts;
const shells = Object.keys(scripts) as Shell[];

/** `harness completion SHELL` */
async function completion(shell: Shell): Promise<number> {
  process.stdout.write(scripts[shell]);
  return 0;
}

/** Prints what may stand in the place of the last of some words, one a line. A project with a mistake in it offers less. */
export async function complete(program: Command, words: readonly string[]): Promise<void> {
  const found = await candidates(program, words).catch(() => []);
  process.stdout.write(found.map((one) => `${one}\n`).join(''));
}

/**
 * What may stand in the place of the last of some words; empty where any file may.
 * @param words behind `harness`; the last is what has been typed of it, maybe nothing.
 */
export async function candidates(program: Command, words: readonly string[]): Promise<string[]> {
  const typed = words.at(-1) ?? '';
  const { command, open, given } = walk(program, words.slice(0, -1));
  if (open) {
    // Lists: what is before the last comma stays.
    const before = typed.slice(0, typed.lastIndexOf(',') + 1);
    const taken = before.split(',');
    const values = open.argChoices ?? (await valuesOf(open.long ?? '', given[0]));
    return fitting(
      values.filter((value) => !taken.includes(value)).map((value) => `${before}${value}`),
      typed,
    );
  }
  if (typed.startsWith('-'))
    return fitting(
      ['--help', ...command.options.filter(({ hidden }) => !hidden).flatMap(({ long }) => long ?? [])],
      typed,
    );
  const argument =
    command.registeredArguments[given.length] ?? command.registeredArguments.findLast(({ variadic }) => variadic);
  const values = argument ? await argumentValues(argument) : [];
  return fitting([...command.commands.map((one) => one.name()), ...values], typed);
}

interface Place {
  readonly command: Command;
  /** The option whose value comes next. */
  readonly open?: Option | undefined;
  /** Arguments so far. */
  readonly given: readonly string[];
}

function walk(program: Command, words: readonly string[]): Place {
  let command = program;
  let open: Option | undefined;
  let given: string[] = [];
  for (const word of words) {
    if (open) {
      open = undefined;
      continue;
    }
    const option = command.options.find(({ long, short }) => long === word || short === word);
    if (option) {
      if (option.required) open = option;
      continue;
    }
    const below = command.commands.find((one) => one.name() === word);
    if (below && given.length === 0) {
      command = below;
      given = [];
    } else if (!word.startsWith('-')) given.push(word);
  }
  return { command, open, given };
}

function fitting(values: readonly string[], typed: string): string[] {
  return [...new Set(values)].filter((value) => value.startsWith(typed)).sort();
}

/** Values of options by the option's name, where they are known. */
async function valuesOf(option: string, matrix: string | undefined): Promise<readonly string[]> {
  switch (option) {
    case '--arch':
      return archNames;
    case '--target':
    case '--targets':
      return targetKinds;
    case '--release':
      return releaseNames;
    case '--report':
      return optionalReports;
    case '--results':
      return ['exit', ...Object.keys(RESULTS_FORMATS)];
    case '--suite':
      return listSuites([(await findProject(process.cwd())).suites, bundled.suites]);
    case '--only':
      return cellNames(matrix);
    case '--run':
    case '--resume':
      return runNames((await findProject(process.cwd())).root);
    default:
      return [];
  }
}

/** Values of arguments by the argument's name. */
async function argumentValues(argument: Argument): Promise<readonly string[]> {
  if (argument.argChoices) return argument.argChoices;
  const project = await findProject(process.cwd());
  switch (argument.name()) {
    case 'matrix':
      return (await Promise.all([project.matrices, bundled.matrices].map(listMatrices))).flat();
    case 'cell':
      return cellNames(undefined);
    case 'run':
    case 'runs':
    case 'base':
    case 'new':
      return runNames(project.root);
    default:
      return [];
  }
}

async function cellNames(matrix: string | undefined): Promise<string[]> {
  return (await chooseCells(matrix, {})).cells.map(({ name }) => name);
}

export const completionCommand: CliCommand = {
  name: 'completion',
  declare: (command) =>
    command
      .description('print a script that completes commands, options, matrices, cells and runs')
      .addArgument(new Argument('<shell>', 'the shell').choices(shells))
      .addHelpText(
        'after',
        '\nExamples:\n  harness completion bash > ~/.local/share/bash-completion/completions/harness\n  source <(harness completion zsh)\n  harness completion fish > ~/.config/fish/completions/harness.fish',
      ),
  act: completion,
};
