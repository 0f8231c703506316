import { type Command, InvalidArgumentError, Option } from 'commander';
import { optionalReports } from '../../reports/index.ts';
import { archNames } from '../arch/index.ts';

export const collect = (value: string, before: string[] = []) => [...before, value];

export function count(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('expected a whole number of at least 1.');
  return number;
}

export function whole(value: string): number {
  const number = Number(value);
  if (value.trim() === '' || !Number.isInteger(number) || number < 0)
    throw new InvalidArgumentError('expected a whole number, 0 or more.');
  return number;
}

/** The options of a command that replaces a matrix's suites, the same wherever cells are chosen. */
export function commandOptions(command: Command): Command {
  return command
    .option('--packages <names>', 'with -- COMMAND: Debian packages that it needs, comma-separated', collect)
    .option(
      '--setup <command>',
      'with -- COMMAND: a shell command, run once before the snapshot; may be repeated',
      collect,
    )
    .option(
      '--results <format[:file]>',
      'with -- COMMAND: format of its results, such as tap or junit:report.xml; default: exit',
    )
    .option('--artifacts <glob>', 'with -- COMMAND: files to bring back; may be repeated', collect)
    .option('--source <folder>', 'with -- COMMAND: the folder to copy to the machine; default: the current one')
    .option('--no-source', 'with -- COMMAND: copy no folder')
    .option('--root', 'with -- COMMAND: run it, and --setup, as root')
    .option('--network', 'with -- COMMAND: let the machine reach the network')
    .option('--timeout <seconds>', 'with -- COMMAND: its time limit in native seconds; default: 600', count)
    .option('--memory <mib>', 'with -- COMMAND: memory of the machine; default: 1024', count)
    .option('--disk <mib>', 'with -- COMMAND: disk of the machine; default: 4096', count);
}

/** The option for additional reports, the same wherever reports are written. */
export function reportOption(command: Command): Command {
  return command.option(
    '--report <names>',
    `additional reports, comma-separated: ${optionalReports.join(', ')}`,
    collect,
  );
}

/** How much of a run is shown while it runs. */
export function displayOptions(command: Command): Command {
  return command
    .option('--quiet', 'show only the final summary')
    .addOption(new Option('--verbose', 'show every line of every cell').conflicts('quiet'))
    .addOption(
      new Option('--color <when>', 'auto: on a terminal, unless NO_COLOR is set').choices(['auto', 'always', 'never']),
    );
}

/** The options that choose cells. */
export function cellOptions(command: Command): Command {
  return commandOptions(command)
    .argument('[matrix]', 'name of a matrix, or path to its file')
    .option(
      '--arch <names>',
      `only these architectures, comma-separated, in any usual spelling: ${archNames.join(', ')}`,
      collect,
    )
    .option('--target <kinds>', 'these kinds of target, or a machine: ssh://user@host:port', collect)
    .option('--machines <file>', "the inventory of machines; default: the project's machines.yaml")
    .option('--suite <names>', 'only these suites', collect)
    .option('--release <names>', 'these Debian releases for guests, comma-separated: trixie,bookworm', collect)
    .option(
      '--only <glob>',
      'only cells whose name (arch/target/suite) matches; * stops at /, ** does not; may be repeated',
      collect,
    )
    .option('--shard <i/n>', 'only the i-th of n shares of the cells, balanced by duration')
    .option('--durations <file>', 'a results.json of an earlier run, for --shard')
    .option('--json', 'print one JSON document on stdout, and no progress');
}
