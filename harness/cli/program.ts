import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { optionalReports } from '../../reports/index.ts';
import { archNames } from '../arch/index.ts';
import { version } from '../base/package.ts';
import { compare, percent } from './commands/compare.ts';
import { COMPLETE, complete, completion, shells } from './commands/completion.ts';
import { doctor } from './commands/doctor.ts';
import { explain } from './commands/explain.ts';
import { exportFormats, exportRun } from './commands/export.ts';
import { gc } from './commands/gc.ts';
import { addRuns, listHistory, listJobs } from './commands/history.ts';
import { buildImages, collectImages, listImages } from './commands/images.ts';
import { init } from './commands/init.ts';
import { list } from './commands/list.ts';
import { matrixJobs } from './commands/matrix.ts';
import { merge } from './commands/merge.ts';
import { historyPage, nightly } from './commands/nightly.ts';
import { openReport } from './commands/open.ts';
import { report } from './commands/report.ts';
import { resume } from './commands/resume.ts';
import { run } from './commands/run.ts';
import { schema } from './commands/schema.ts';
import { shell } from './commands/shell.ts';
import { historySite } from './commands/site.ts';

const collect = (value: string, before: string[] = []) => [...before, value];

function count(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('expected a whole number of at least 1.');
  return number;
}

function whole(value: string): number {
  const number = Number(value);
  if (value.trim() === '' || !Number.isInteger(number) || number < 0)
    throw new InvalidArgumentError('expected a whole number, 0 or more.');
  return number;
}

/** The options of a command that takes the place of a matrix's suites, alike wherever cells are chosen. */
function commandOptions(command: Command): Command {
  return command
    .option('--packages <names>', 'with -- COMMAND: Debian packages that it needs, comma-separated', collect)
    .option(
      '--setup <command>',
      'with -- COMMAND: a shell command, run once before the snapshot; may be repeated',
      collect,
    )
    .option('--results <format[:file]>', 'with -- COMMAND: its tests, such as tap or junit:report.xml; default: exit')
    .option('--artifacts <glob>', 'with -- COMMAND: files to bring back; may be repeated', collect)
    .option('--source <folder>', 'with -- COMMAND: the folder that is copied to the machine; default: this one')
    .option('--no-source', 'with -- COMMAND: copy no folder')
    .option('--root', 'with -- COMMAND: run it, and --setup, as root')
    .option('--network', 'with -- COMMAND: let the machine reach the network')
    .option('--timeout <seconds>', 'with -- COMMAND: native seconds that it may take; default: 600', count)
    .option('--memory <mib>', 'with -- COMMAND: memory of the machine; default: 1024', count)
    .option('--disk <mib>', 'with -- COMMAND: disk of the machine; default: 4096', count);
}

/** The option that asks for further reports, alike wherever reports are written. */
function reportOption(command: Command): Command {
  return command.option('--report <names>', `further reports, comma-separated: ${optionalReports.join(', ')}`, collect);
}

/** How much of a run is shown while it goes on. */
function displayOptions(command: Command): Command {
  return command
    .option('--quiet', 'show nothing until the run has ended, and then what it came to')
    .addOption(new Option('--verbose', 'show every line that a cell says').conflicts('quiet'))
    .addOption(
      new Option('--color <when>', 'auto: on a terminal, unless NO_COLOR is set').choices(['auto', 'always', 'never']),
    );
}

/** The options that choose cells, alike wherever cells are chosen. */
function cellOptions(command: Command): Command {
  return commandOptions(command)
    .argument('[matrix]', 'a matrix: its name, or the path of its file')
    .option(
      '--arch <names>',
      `only these architectures, comma-separated, in any usual spelling: ${archNames.join(', ')}`,
      collect,
    )
    .option('--target <kinds>', 'these kinds of target, or a machine: ssh://user@host:port', collect)
    .option('--machines <file>', 'the inventory of machines; default: machines.yaml of the project')
    .option('--suite <names>', 'only these suites', collect)
    .option('--release <names>', 'these Debian releases of guests, comma-separated: trixie,bookworm', collect)
    .option(
      '--only <glob>',
      'only cells whose name (arch/target/suite) matches; * stops at /, ** does not; may be given more than once',
      collect,
    )
    .option('--shard <i/n>', 'only the cells of one of n jobs, divided by how long they take')
    .option('--durations <file>', 'a results.json of an earlier run, for --shard')
    .option('--json', 'print one JSON document on stdout, and no progress');
}

/** What each command does, by its name. */
const commands = {
  run,
  list,
  doctor,
  'images build': buildImages,
  'images list': listImages,
  'images gc': collectImages,
  shell,
  resume,
  explain,
  report,
  compare,
  export: exportRun,
  'history add': addRuns,
  'history list': listHistory,
  'history jobs': listJobs,
  'history page': historyPage,
  'history site': historySite,
  nightly,
  matrix: matrixJobs,
  merge,
  gc,
  schema,
  init,
  open: openReport,
  completion,
  version: async () => {
    process.stdout.write(`${version}\n`);
    return 0;
  },
};
type CommandName = keyof typeof commands;
// Commander calls an action with what was declared for it; the types of the two are kept side by side by hand.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Action = (...args: any[]) => Promise<void>;

/**
 * The command line as data.
 * @param act what is to be done for a command; a parameter so that examples can be parsed without being run.
 */
export function buildProgram(act: (name: CommandName) => Action): Command {
  const harness = new Command('harness')
    .description('Runs the same scenarios and benchmarks on amd64, arm64 and ppc64le, and says what differs.')
    .version(version)
    .showSuggestionAfterError()
    .showHelpAfterError('(harness --help shows what there is)')
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
5 something got worse with this night (nightly), 130 interrupted.`,
    );

  displayOptions(reportOption(cellOptions(harness.command('run'))))
    .usage('[options] [matrix] [-- command...]')
    .description('run the cells of a matrix, or a command on each of its machines, and write the reports')
    .option(
      '-t, --test <pattern>',
      'only tests whose full name contains this, or matches /this/; of commands those that are named so; may be repeated',
      collect,
    )
    .option('--file <glob>', "only tests of these files of a suite: '*.bench.ts'; may be repeated", collect)
    .option('--bail [n]', 'end after the first failure, or so many: what was not run is incomplete', count)
    .option('--repeat <n>', 'run each test so often, whatever it comes to, and say how often it failed', count)
    .option(
      '--retries <n>',
      "how often a failed test is tried again; default: the suite's own. A command: 5 times at most, default 0",
      whole,
    )
    .option('-j, --jobs <n>', 'cells at once; default: as many as memory and cores allow', count)
    .option('--keep', 'leave the targets of failed cells up, and say how to enter them')
    .option('--pause', 'stop at the first failure with the machine as it is, and go on when told')
    .option('--pause-minutes <n>', 'with --pause: go on after so many by itself; needed without a terminal', count)
    .option('--no-bench', 'leave the benchmarks out')
    .option('--no-control', 'do not run failed tests again to find out whose fault it is')
    .option('--part', 'a job of several: leave annotations and the summary to `harness merge`')
    .option('--no-summary', 'leave the summary of a GitHub job to `harness report --summary`')
    .option('--cold', 'boot and deploy even where a snapshot could be resumed, and save none')
    .option('--resume <run>', 'go on with a run that was killed or interrupted: what has no result runs, as part of it')
    .option('--failed [run]', 'run what was not green in a run, and nothing else; default: latest')
    .addHelpText(
      'after',
      "\nExamples:\n  harness run --arch arm64,ppc64le --no-bench\n  harness run quickstart --only 'arm64/*/*' --keep\n  harness run -t 'says hello'               one test, wherever it is\n  harness run --file 'web.*' -t '/^the page > /'\n  harness run -t 'says hello' --repeat 50   how often it fails\n  harness run --resume latest               after a power cut\n  harness run --failed                      after a fix",
    )
    .action(act('run'));
  cellOptions(harness.command('list')).description('show every cell without starting anything').action(act('list'));
  harness
    .command('doctor')
    .description('show what works on this machine, what is missing and how to install it')
    .option('--json', 'print one JSON document on stdout')
    .action(act('doctor'));
  const images = harness.command('images').description('build, list and remove images');
  cellOptions(images.command('build'))
    .description('build the images of a matrix, start nothing')
    .action(act('images build'));
  images
    .command('list')
    .description('show what the cache holds')
    .option('--json', 'print one JSON document on stdout')
    .action(act('images list'));
  images
    .command('gc')
    .description('remove images that were not used for some days, and what interrupted builds left')
    .option('--days <n>', 'days since the last use', count, 14)
    .option('--all', 'remove every image')
    .action(act('images gc'));
  harness
    .command('shell')
    .description("a shell in a cell's guest: the one that --keep left, else one that is started for it")
    .argument('<cell>', 'the name of a cell: arch/target/suite, of several releases arch/target/suite@release')
    .argument('[command...]', 'a command to run instead of a shell, after --')
    .option('--node <name>', 'the machine of a cluster; default: the first')
    .option('--at <test>', 'in a machine of its own as this test finds it: deployed, and what comes before it has run')
    .addHelpText(
      'after',
      "\nExamples:\n  harness shell arm64/vm/web\n  harness shell ppc64le/vm/web -- uname -a\n  harness shell ppc64le/vm/web --at 'serves the page'",
    )
    .action(act('shell'));
  harness
    .command('explain')
    .description('run failed tests of an earlier run again, and say whose fault they are')
    .argument('<cell>', 'the name of a cell of that run')
    .argument('[test]', 'its full name, or a part of it; default: every failed test of the cell')
    .option('--run <run>', 'the name of a run, or a folder that holds events.jsonl', 'latest')
    .option('--qemu <path>', 'try them under another build of QEMU, too: its binary, or the folder of its binaries')
    .option('--machines <file>', 'the inventory; default: machines.yaml of the project')
    .addHelpText(
      'after',
      "\nExamples:\n  harness explain ppc64le/vm/web\n  harness explain ppc64le/vm/web 'serves the page' --qemu /opt/qemu-10/bin",
    )
    .action(act('explain'));
  reportOption(harness.command('report'))
    .description('write the reports of a run again, from its events')
    .argument('[run]', 'the name of a run, or a folder that holds events.jsonl', 'latest')
    .option('--json', 'print results.json on stdout')
    .option('--summary', 'append the summary of a GitHub job')
    .option('--page-url <url>', 'with --summary: where the page can be opened')
    .addHelpText('after', '\nExamples:\n  harness report\n  harness report latest --report junit-non-voting,csv')
    .action(act('report'));
  harness
    .command('compare')
    .description(
      'say of each benchmark whether it got worse or better, or of each test whether two targets agree on it',
    )
    .argument('<base>', 'the name of a run, its folder, its events.jsonl, or a commit that the history has')
    .argument('[new]', 'the same; with --parity it may be left out: both kinds of target are then of one run')
    .option('--min-effect <percent>', 'the least change that matters; default: 2% of a time, 0.5% of a count', percent)
    .option('--confirm', 'ask fresh runs of both commits, in turns, about what two runs make suspect')
    .option('--history <folder>', "default: the project's folder history")
    .option(
      '--fail-on <percent>',
      'exit with 1 when a benchmark is worse (without --confirm: maybe worse) by more than that, with 4 when one of the base could not be compared',
      percent,
    )
    .option('--parity', 'compare tests, not benchmarks: the same suites on two kinds of target')
    .option('--targets <kinds>', 'the two kinds, comma-separated; default: what the runs have', collect)
    .option('--fail-on-differ', 'exit with 1 when a test differs, with 4 when nothing can be said of one')
    .option('--json', 'print one JSON document on stdout')
    .addHelpText(
      'after',
      '\nExamples:\n  harness compare 20261120-214512-3f9a latest\n  harness compare base/events.jsonl latest --fail-on 5%\n  harness compare main latest              with a history that has a run of main\n  harness compare main latest --confirm --fail-on 2%   a gate for pull requests\n  harness compare --parity latest --targets vm,container',
    )
    .action(act('compare'));
  const history = harness.command('history').description('keep runs for comparisons to come');
  history
    .command('add')
    .description("add runs' events to the history")
    .argument('[runs...]', 'names of runs, or folders that hold events.jsonl; default: latest')
    .option('--history <folder>', "default: the project's folder history")
    .action(act('history add'));
  history
    .command('list')
    .description('show the runs of the history')
    .option('--history <folder>', "default: the project's folder history")
    .option('--json', 'print one JSON document on stdout')
    .action(act('history list'));
  history
    .command('jobs')
    .description("show the cells of the newest runs as a CI's table of jobs: project, branch, pipeline, change, result")
    .option('--history <folder>', "default: the project's folder history")
    .option('--last <n>', 'of the newest n runs; default: 20', count)
    .option('--json', 'print one JSON document on stdout')
    .action(act('history jobs'));
  history
    .command('page')
    .description('write the page of all nights of a matrix, without running anything')
    .option('--history <folder>', "default: the project's folder history")
    .option('--page <file>', 'where to; default: .harness/nightly.html')
    .option('--matrix <name>', "default: the newest run's")
    .option('--commit-url <url>', 'the page of a commit, with {sha} in it; default: where the CI of the night says')
    .option('--fail-on-new', 'exit with 5 when something got worse with the last night, and nobody has triaged it')
    .option('--json', 'print what was found as one JSON document on stdout')
    .addHelpText(
      'after',
      '\nExamples:\n  harness history page\n  harness history page --history nights --page site/index.html',
    )
    .action(act('history page'));
  history
    .command('site')
    .description(
      'write all pages of the history, to be published: matrices, nights, feeds, and reports of the newest nights',
    )
    .argument('<folder>', 'where to')
    .option('--history <folder>', "default: the project's folder history")
    .option('--reports <n>', 'nights of each matrix whose reports are written', count, 30)
    .option('--commit-url <url>', 'the page of a commit, with {sha} in it; default: where the CI of the night says')
    .option('--url <url>', 'where the folder will be published, for the links of the feeds')
    .addHelpText('after', '\nExamples:\n  harness history site site --history nights --url https://example.org/nights')
    .action(act('history site'));
  displayOptions(reportOption(cellOptions(harness.command('nightly'))))
    .description('run a matrix (nightly), add the run to the history, and write the page of all nights')
    .option('--history <folder>', "default: the project's folder history")
    .option('--page <file>', 'where to; default: .harness/nightly.html')
    .option('--commit-url <url>', 'the page of a commit, with {sha} in it; default: where the CI of the night says')
    .option('--jobs <n>', 'cells at once; default: as many as memory and cores allow', count)
    .option('--cold', 'boot and deploy even where a snapshot could be resumed, and save none')
    .addHelpText(
      'after',
      '\nExamples:\n  harness nightly\n  harness nightly quickstart --arch amd64 --history nights --page site/index.html',
    )
    .action(act('nightly'));
  harness
    .command('export')
    .description("print a run's benchmarks as another tool reads them")
    .argument('[run]', 'the name of a run, or a folder that holds events.jsonl', 'latest')
    .addOption(new Option('--format <name>', 'the format').choices(exportFormats).makeOptionMandatory())
    .addHelpText('after', '\nExamples:\n  harness export --format go\n  harness export latest --format csv')
    .action(act('export'));
  cellOptions(harness.command('matrix'))
    .description('print the jobs of a CI service for the cells of a matrix')
    .option('--github', 'as `strategy.matrix`; in a step also its outputs `matrix` and `count`')
    .option('--gitlab', 'as a child pipeline of GitLab, which puts the jobs together as well')
    .option('--buildkite', 'as steps for `buildkite-agent pipeline upload`, likewise')
    .option('--no-bench', 'leave the benchmarks out of the jobs')
    .option('--cold', 'have the jobs boot and deploy even where a snapshot could be resumed')
    .option('--shards <n>', 'jobs of several cells each instead of one a cell', count)
    .option('--runner <arch=label>', 'the runner for an architecture; may be given more than once', collect)
    .option('--default-runner <label>', 'the runner for the others; default: ubuntu-24.04 of GitHub, any of the others')
    .option('--image <name>', "with --gitlab: a container's image for the jobs")
    .option(
      '--before <command>',
      'with --gitlab or --buildkite: what sets a job up; may be repeated; default: npm ci',
      collect,
    )
    .option('--call <command>', 'with --gitlab or --buildkite: how the harness is called', 'npx harness')
    .addHelpText(
      'after',
      '\nExamples:\n  harness matrix quickstart --github\n  harness matrix quickstart --github --runner arm64=ubuntu-24.04-arm\n  harness matrix quickstart --gitlab > cells.yml',
    )
    .action(act('matrix'));
  reportOption(harness.command('merge'))
    .description('make one run with one set of reports of the runs of several jobs')
    .argument('<folders...>', 'folders that hold the jobs’ runs, at any depth')
    .option('--plan <file>', 'what `harness list --json` printed: a cell that is in no part is incomplete')
    .option('--no-summary', 'leave the summary of a GitHub job to `harness report --summary`')
    .option('--json', 'print results.json on stdout')
    .addHelpText('after', '\nExamples:\n  harness merge parts --plan plan.json')
    .action(act('merge'));
  harness
    .command('gc')
    .description('remove every process, socket and overlay of runs that were killed, and kept targets')
    .option('--dry-run', 'only say what would be removed')
    .option('--json', 'print one JSON document on stdout')
    .action(act('gc'));
  harness
    .command('schema')
    .description('write the JSON schemas of matrices, suites and results')
    .option('--check', 'write nothing; exit with 1 when one is not as it should be')
    .action(act('schema'));
  harness
    .command('init')
    .description('write a first matrix and a suite that pass, and what a project has around them; overwrites nothing')
    .argument('[folder]', 'where', '.')
    .option('--command <command>', 'with a suite that runs this in a copy of the project, such as "make check"')
    .option('--compose <file>', 'with a suite that deploys this Compose file')
    .addHelpText(
      'after',
      '\nExamples:\n  harness init\n  harness init --command "make check"\n  harness init --compose compose.yaml',
    )
    .action(act('init'));
  harness
    .command('open')
    .description("open a run's page in a browser; without one, print its path")
    .argument('[run]', 'the name of a run, or a folder that holds events.jsonl', 'latest')
    .action(act('open'));
  harness
    .command('resume')
    .description('tell a run that --pause has stopped to go on')
    .argument('[run]', 'the name of a run, or its folder', 'latest')
    .action(act('resume'));
  harness
    .command('completion')
    .description('print a script that completes commands, options, matrices, cells and runs')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .addHelpText(
      'after',
      '\nExamples:\n  harness completion bash > ~/.local/share/bash-completion/completions/harness\n  source <(harness completion zsh)\n  harness completion fish > ~/.config/fish/completions/harness.fish',
    )
    .action(act('completion'));
  harness.command('version').description('print the version').action(act('version'));
  return harness;
}

/** What a command came to. */
export interface Outcome {
  /** 0 passed, 1 a voting cell failed, 2 configuration or usage, 3 infrastructure, 4 incomplete, 5 a new regression, 130 interrupted. */
  readonly exitCode: number;
  /** Whether cells decided it: what is wrong with reports or output does not change it then. */
  readonly byCells: boolean;
}

/** Commands whose exit code is that of cells. */
const BY_CELLS: ReadonlySet<CommandName> = new Set(['run', 'nightly', 'merge'] as const);

/** Commands that take a command to run behind `--`; `shell` has one of its own. */
const WITH_COMMAND = ['run', 'list', 'images', 'matrix', 'nightly'];

/** What stands before `--`, and the command behind it where one is taken. */
export function splitCommand(argv: readonly string[]): { words: readonly string[]; command?: readonly string[] } {
  const cut = argv.indexOf('--');
  if (cut < 0 || !WITH_COMMAND.includes(argv[0] ?? '')) return { words: argv };
  return { words: argv.slice(0, cut), command: argv.slice(cut + 1) };
}

/**
 * `help images build` as the command that prints it, because commander's own `help` looks at one word, and where it does not
 * know that prints the help of all without a word about it. A name that there is not is left as a command, whose error
 * suggests one that there is.
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
 * Runs the command line. Without arguments it prints the help, as `git` and `docker` do: somebody is looking around, and
 * has done nothing wrong.
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
  const harness = buildProgram((name) => async (...args) => {
    const given = command === undefined ? args : args.map((arg) => withCommand(arg, command));
    const exitCode = await (commands[name] as (...args: unknown[]) => Promise<number>)(...given);
    outcome = { exitCode, byCells: BY_CELLS.has(name) };
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
