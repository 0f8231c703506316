import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { optionalReports } from '../../reports/index.ts';
import { archNames } from '../arch/index.ts';
import { version } from '../base/package.ts';
import { attachRun } from './commands/attach.ts';
import { cancelRun } from './commands/cancel.ts';
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

/** The options of a command that replaces a matrix's suites, the same wherever cells are chosen. */
function commandOptions(command: Command): Command {
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
function reportOption(command: Command): Command {
  return command.option(
    '--report <names>',
    `additional reports, comma-separated: ${optionalReports.join(', ')}`,
    collect,
  );
}

/** How much of a run is shown while it runs. */
function displayOptions(command: Command): Command {
  return command
    .option('--quiet', 'show only the final summary')
    .addOption(new Option('--verbose', 'show every line of every cell').conflicts('quiet'))
    .addOption(
      new Option('--color <when>', 'auto: on a terminal, unless NO_COLOR is set').choices(['auto', 'always', 'never']),
    );
}

/** The options that choose cells. */
function cellOptions(command: Command): Command {
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

/** The commands by name. */
const commands = {
  run,
  list,
  attach: attachRun,
  cancel: cancelRun,
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
// Commander calls an action with the declared arguments; their types are matched by hand.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Action = (...args: any[]) => Promise<void>;

/**
 * The command line as data.
 * @param act makes the action of a command; a parameter so that examples can be parsed without being run.
 */
export function buildProgram(act: (name: CommandName) => Action): Command {
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

  displayOptions(reportOption(cellOptions(harness.command('run'))))
    .usage('[options] [matrix] [-- command...]')
    .description('run the cells of a matrix, or a command on each of its machines, and write the reports')
    .option(
      '-t, --test <pattern>',
      'only tests whose full name contains this text or matches this /regex/; commands are chosen by their own name; may be repeated',
      collect,
    )
    .option('--file <glob>', "only tests in files that match this glob, such as '*.bench.ts'; may be repeated", collect)
    .option('--bail [n]', 'stop after n failures (default: 1); whatever has not run is incomplete', count)
    .option('--repeat <n>', 'run each test n times, passed or not, and report how often it failed', count)
    .option(
      '--retries <n>',
      'how often to retry a failed test; default: what its suite says. With -- COMMAND: at most 5, default 0',
      whole,
    )
    .option('-j, --jobs <n>', 'cells at once; default: as many as memory and cores allow', count)
    .option('--keep', 'keep the targets of failed cells up, and say how to enter them')
    .option('--pause', 'pause at the first failure, before anything is cleaned up, until Enter or `harness resume`')
    .option('--pause-minutes <n>', 'with --pause: continue after n minutes; required without a terminal', count)
    .option('--no-bench', 'skip the benchmarks')
    .option('--no-control', 'do not re-run failed tests to find out whose fault they are')
    .option('--part', 'this run is one of several CI jobs: leave annotations and summary to `harness merge`')
    .option('--no-summary', 'write no GitHub job summary; `harness report --summary` does')
    .option('--cold', 'boot and deploy even if a snapshot could be resumed, and save none')
    .option('--resume <run>', 'continue a run that was killed or interrupted: run the cells that have no result')
    .option('--failed [run]', 'run only what was not green in an earlier run; default: latest')
    .option('--on <engine>', 'run the cells on an engine of machines.yaml, such as a Slurm cluster')
    .option('--detach', 'with --on: submit, print the name of the run, and leave the rest to `harness attach`')
    .option('--images <file>', 'use the images that `harness images build --pin` wrote down, and no others')
    .addOption(new Option('--into <folder>', 'the folder of the run, for a part of another one').hideHelp())
    .addHelpText(
      'after',
      "\nExamples:\n  harness run --arch arm64,ppc64le --no-bench\n  harness run quickstart --only 'arm64/*/*' --keep\n  harness run -t 'says hello'               one test, wherever it is\n  harness run --file 'web.*' -t '/^the page > /'\n  harness run -t 'says hello' --repeat 50   how often it fails\n  harness run --resume latest               after a power cut\n  harness run --failed                      after a fix\n  harness run nightly --on lab              on the cluster `lab` of machines.yaml",
    )
    .action(act('run'));
  cellOptions(harness.command('list')).description('show every cell without starting anything').action(act('list'));
  displayOptions(reportOption(harness.command('attach')))
    .description('go on with a run on an engine whose harness is gone, or watch one that goes on')
    .argument('[run]', 'the name of a run, or its folder', 'latest')
    .option('--no-summary', 'leave the summary of a GitHub job to `harness report --summary`')
    .option('--json', 'print one JSON document on stdout, and no progress')
    .addHelpText('after', '\nExamples:\n  harness attach\n  harness attach 20261120-214512-3f9a')
    .action(act('attach'));
  harness
    .command('cancel')
    .description('end a run on an engine, wherever its harness is: its jobs, and then the run with what it has')
    .argument('[run]', 'the name of a run, or its folder', 'latest')
    .action(act('cancel'));
  harness
    .command('doctor')
    .description('show what works on this machine, what is missing and how to install it')
    .option('--on <engine>', 'instead: what works on the nodes of an engine, by one job for each architecture')
    .option('--json', 'print one JSON document on stdout')
    .action(act('doctor'));
  const images = harness.command('images').description('build, list and remove images');
  cellOptions(images.command('build'))
    .description('build the images of a matrix without starting anything')
    .option('--pin <file>', 'write down which images they are, for `harness run --images` on other machines')
    .option('--push [cache]', 'put them into a remote cache; default: $HARNESS_REMOTE_CACHE')
    .addHelpText(
      'after',
      '\nExamples:\n  harness images build nightly\n  harness images build nightly --pin images.json --push oci://registry.lab:5000/harness',
    )
    .action(act('images build'));
  images
    .command('list')
    .description('show what the cache holds')
    .option('--json', 'print one JSON document on stdout')
    .action(act('images list'));
  images
    .command('gc')
    .description('remove images not used for some days, and leftovers of interrupted builds')
    .option('--days <n>', 'days since the last use', count, 14)
    .option('--all', 'remove every image')
    .action(act('images gc'));
  harness
    .command('shell')
    .description("open a shell in a cell's guest: the one that --keep left, or a new one")
    .argument('<cell>', 'name of a cell: arch/target/suite, with several releases arch/target/suite@release')
    .argument('[command...]', 'a command to run instead of a shell, after --')
    .option('--node <name>', 'the machine of a cluster; default: the first')
    .option('--at <test>', 'in a new machine, as this test finds it: deployed, with the tests before it run')
    .addHelpText(
      'after',
      "\nExamples:\n  harness shell arm64/vm/web\n  harness shell ppc64le/vm/web -- uname -a\n  harness shell ppc64le/vm/web --at 'serves the page'",
    )
    .action(act('shell'));
  harness
    .command('explain')
    .description('re-run failed tests of an earlier run, and say whose fault they are')
    .argument('<cell>', 'the name of a cell of that run')
    .argument('[test]', 'its full name, or a part of it; default: every failed test of the cell')
    .option('--run <run>', 'the name of a run, or a folder that holds events.jsonl', 'latest')
    .option('--qemu <path>', 'also try another build of QEMU: its binary, or the folder of its binaries')
    .option('--machines <file>', "the inventory; default: the project's machines.yaml")
    .addHelpText(
      'after',
      "\nExamples:\n  harness explain ppc64le/vm/web\n  harness explain ppc64le/vm/web 'serves the page' --qemu /opt/qemu-10/bin",
    )
    .action(act('explain'));
  reportOption(harness.command('report'))
    .description("rewrite a run's reports from its events")
    .argument('[run]', 'the name of a run, or a folder that holds events.jsonl', 'latest')
    .option('--json', 'print results.json on stdout')
    .option('--summary', 'append the summary of a GitHub job')
    .option('--page-url <url>', 'with --summary: the address of the page')
    .addHelpText('after', '\nExamples:\n  harness report\n  harness report latest --report junit-non-voting,csv')
    .action(act('report'));
  harness
    .command('compare')
    .description('compare the benchmarks of two runs, or the test results of two kinds of target (--parity)')
    .argument('<base>', 'name of a run, its folder, its events.jsonl, or a commit in the history')
    .argument('[new]', 'the same; optional with --parity when <base> has both kinds of target')
    .option(
      '--min-effect <percent>',
      'the smallest change that matters; default: 2% of a time, 0.5% of a count',
      percent,
    )
    .option('--confirm', 'confirm suspected changes with fresh, alternating runs of both commits')
    .option('--history <folder>', "folder of the history; default: the project's history/")
    .option(
      '--fail-on <percent>',
      'exit with 1 when a benchmark is worse (without --confirm: maybe worse) by more than this, with 4 when a benchmark of the base could not be compared',
      percent,
    )
    .option('--parity', 'compare tests, not benchmarks: the same suites on two kinds of target')
    .option('--targets <kinds>', 'the two kinds, comma-separated; default: those of the runs', collect)
    .option('--fail-on-differ', 'exit with 1 when a test differs, with 4 when one cannot be compared')
    .option('--json', 'print one JSON document on stdout')
    .addHelpText(
      'after',
      '\nExamples:\n  harness compare 20261120-214512-3f9a latest\n  harness compare base/events.jsonl latest --fail-on 5%\n  harness compare main latest              with a history that has a run of main\n  harness compare main latest --confirm --fail-on 2%   a gate for pull requests\n  harness compare --parity latest --targets vm,container',
    )
    .action(act('compare'));
  const history = harness.command('history').description('keep runs for later comparisons');
  history
    .command('add')
    .description("add runs' events to the history")
    .argument('[runs...]', 'names of runs, or folders that hold events.jsonl; default: latest')
    .option('--history <folder>', "folder of the history; default: the project's history/")
    .action(act('history add'));
  history
    .command('list')
    .description('show the runs of the history')
    .option('--history <folder>', "folder of the history; default: the project's history/")
    .option('--json', 'print one JSON document on stdout')
    .action(act('history list'));
  history
    .command('jobs')
    .description("show the cells of the newest runs as a CI's table of jobs: project, branch, pipeline, change, result")
    .option('--history <folder>', "folder of the history; default: the project's history/")
    .option('--last <n>', 'how many of the newest runs to show; default: 20', count)
    .option('--json', 'print one JSON document on stdout')
    .action(act('history jobs'));
  history
    .command('page')
    .description('write the page of all nights of a matrix, without running anything')
    .option('--history <folder>', "folder of the history; default: the project's history/")
    .option('--page <file>', 'file to write; default: .harness/nightly.html')
    .option('--matrix <name>', "which matrix; default: the newest run's")
    .option('--commit-url <url>', "address of a commit's page, with {sha} in it; default: what the night's CI says")
    .option('--fail-on-new', 'exit with 5 when the last night has a regression that nobody has triaged')
    .option('--json', 'print the findings as one JSON document on stdout')
    .addHelpText(
      'after',
      '\nExamples:\n  harness history page\n  harness history page --history nights --page site/index.html',
    )
    .action(act('history page'));
  history
    .command('site')
    .description('write a site of the history: matrices, nights, feeds, and reports of the newest nights')
    .argument('<folder>', 'folder to write to')
    .option('--history <folder>', "folder of the history; default: the project's history/")
    .option('--reports <n>', 'how many nights of each matrix get a report', count, 30)
    .option('--commit-url <url>', "address of a commit's page, with {sha} in it; default: what the night's CI says")
    .option('--url <url>', "address at which the folder will be published, for the feeds' links")
    .addHelpText('after', '\nExamples:\n  harness history site site --history nights --url https://example.org/nights')
    .action(act('history site'));
  displayOptions(reportOption(cellOptions(harness.command('nightly'))))
    .description('run a matrix (nightly), add the run to the history, and write the page of all nights')
    .option('--history <folder>', "folder of the history; default: the project's history/")
    .option('--page <file>', 'file to write; default: .harness/nightly.html')
    .option('--commit-url <url>', "address of a commit's page, with {sha} in it; default: what the night's CI says")
    .option('--jobs <n>', 'cells at once; default: as many as memory and cores allow', count)
    .option('--cold', 'boot and deploy even if a snapshot could be resumed, and save none')
    .addHelpText(
      'after',
      '\nExamples:\n  harness nightly\n  harness nightly quickstart --arch amd64 --history nights --page site/index.html',
    )
    .action(act('nightly'));
  harness
    .command('export')
    .description("print a run's benchmarks in another tool's format")
    .argument('[run]', 'the name of a run, or a folder that holds events.jsonl', 'latest')
    .addOption(new Option('--format <name>', 'the format').choices(exportFormats).makeOptionMandatory())
    .addHelpText('after', '\nExamples:\n  harness export --format go\n  harness export latest --format csv')
    .action(act('export'));
  cellOptions(harness.command('matrix'))
    .description('print CI jobs for the cells of a matrix')
    .option('--github', 'as `strategy.matrix`; in a GitHub step, also set the outputs `matrix` and `count`')
    .option('--gitlab', 'as a GitLab child pipeline, including the merge job')
    .option('--buildkite', 'as steps for `buildkite-agent pipeline upload`, including the merge step')
    .option('--kubernetes', 'as Indexed Jobs for `kubectl apply`, one pod per cell; `harness merge` collects them')
    .option('--no-bench', 'skip the benchmarks')
    .option('--cold', 'have the jobs boot and deploy even if a snapshot could be resumed')
    .option('--shards <n>', 'divide the cells among n jobs instead of one job per cell', count)
    .option('--runner <arch=label>', 'the runner for an architecture; may be repeated', collect)
    .option(
      '--default-runner <label>',
      'the runner for other architectures; default: ubuntu-24.04 on GitHub, any runner elsewhere',
    )
    .option('--image <name>', 'with --gitlab or --kubernetes: container image for the jobs')
    .option('--claim <name>', 'with --kubernetes: volume claim for results', 'harness-results')
    .option('--queue <name>', "with --kubernetes: Kueue's queue")
    .option('--kvm <resource>', 'with --kubernetes: resource that gives a pod /dev/kvm; default: emulate')
    .option(
      '--before <command>',
      'command that sets a job up, except for --github; may be repeated; default: npm ci, with --kubernetes none',
      collect,
    )
    .option('--call <command>', 'command that starts the harness, except for --github', 'npx harness')
    .addHelpText(
      'after',
      '\nExamples:\n  harness matrix quickstart --github\n  harness matrix quickstart --github --runner arm64=ubuntu-24.04-arm\n  harness matrix quickstart --gitlab > cells.yml\n  harness matrix quickstart --kubernetes --image registry.lab/tests > jobs.yaml',
    )
    .action(act('matrix'));
  reportOption(harness.command('merge'))
    .description('merge the runs of several jobs into one run with one set of reports')
    .argument('<folders...>', "folders that hold the jobs' runs, at any depth")
    .option('--plan <file>', 'output of `harness list --json`: a planned cell that no part has is incomplete')
    .option('--no-summary', 'write no GitHub job summary; `harness report --summary` does')
    .option('--json', 'print results.json on stdout')
    .addHelpText('after', '\nExamples:\n  harness merge parts --plan plan.json')
    .action(act('merge'));
  harness
    .command('gc')
    .description('remove kept targets, and every process, socket and overlay that killed runs left')
    .option('--dry-run', 'only show what would be removed')
    .option('--json', 'print one JSON document on stdout')
    .action(act('gc'));
  harness
    .command('schema')
    .description('write the JSON schemas of matrices, suites and results')
    .option('--check', 'write nothing; exit with 1 when a schema is out of date')
    .action(act('schema'));
  harness
    .command('init')
    .description('write a first matrix and a suite that pass, and the files around them; overwrites nothing')
    .argument('[folder]', 'folder to write to', '.')
    .option(
      '--command <command>',
      'write a suite that runs this command in a copy of the project, such as "make check"',
    )
    .option('--compose <file>', 'write a suite that deploys this Compose file')
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
    .description('resume a run that --pause has stopped')
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

/** The outcome of a command. */
export interface Outcome {
  /** 0 passed, 1 a voting cell failed, 2 configuration or usage, 3 infrastructure, 4 incomplete, 5 a new regression, 130 interrupted. */
  readonly exitCode: number;
  /** Whether cells decided it; then problems with reports or output do not change it. */
  readonly byCells: boolean;
}

/** Commands whose exit code the cells decide. */
const BY_CELLS: ReadonlySet<CommandName> = new Set(['run', 'attach', 'nightly', 'merge'] as const);

/** Commands that take a command to run after `--`; `shell` parses its own. */
const WITH_COMMAND = ['run', 'list', 'images', 'matrix', 'nightly'];

/** Splits the words before `--` from the command after it, for commands that take one. */
export function splitCommand(argv: readonly string[]): { words: readonly string[]; command?: readonly string[] } {
  const cut = argv.indexOf('--');
  if (cut < 0 || !WITH_COMMAND.includes(argv[0] ?? '')) return { words: argv };
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
