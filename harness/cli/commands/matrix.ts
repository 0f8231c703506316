import { setOutput } from '@actions/core';
import { archNames, findArch } from '../../arch/index.ts';
import { ConfigError, InfraError, messageOf } from '../../base/errors.ts';
import { shellQuote } from '../../base/text.ts';
import { selectionWords } from '../../events/selection.ts';
import { asksOf, classesOf } from '../../fleet/ask.ts';
import { keyOf } from '../../images/cache.ts';
import { RECIPE } from '../../images/settings.ts';
import { buildkitePipeline } from '../../matrix/buildkite.ts';
import type { Cell } from '../../matrix/cell.ts';
import { githubMatrix } from '../../matrix/github.ts';
import { gitlabPipeline, type PipelineOptions } from '../../matrix/gitlab.ts';
import { jobsOf, parseRunners } from '../../matrix/jobs.ts';
import { kubernetesJobs } from '../../matrix/kubernetes.ts';
import type { CellOptions, ChosenCells } from '../../matrix/plan.ts';
import { chooseCells } from '../cells.ts';
import type { CliCommand } from '../command.ts';
import { cellOptions, collect, count } from '../options.ts';

interface Options extends CellOptions {
  readonly github?: boolean;
  readonly gitlab?: boolean;
  readonly buildkite?: boolean;
  readonly kubernetes?: boolean;
  readonly claim: string;
  readonly queue?: string;
  readonly kvm?: string;
  readonly shards?: number;
  readonly runner?: string[];
  readonly defaultRunner?: string;
  readonly image?: string;
  readonly before?: string[];
  readonly call: string;
}

/** The label of GitHub's hosted machines. */
const GITHUB_RUNNER = 'ubuntu-24.04';

/** The command that installs the harness in an npm project. */
const BEFORE = ['npm ci'];

/**
 * `harness matrix [matrix] --github`: the jobs of a workflow, as `strategy.matrix` takes them. In a step of GitHub Actions
 * also the step's outputs `matrix` and `count`. `--gitlab` and `--buildkite`: a pipeline for those, as YAML. `--kubernetes`: objects for
 * `kubectl apply`.
 */
async function matrixJobs(named: string | undefined, options: Options): Promise<number> {
  if (options.shard !== undefined && options.shards !== undefined)
    throw new ConfigError('--shard is one of several jobs, and --shards makes several: only one of them is possible');
  const services = (['github', 'gitlab', 'buildkite', 'kubernetes'] as const).filter((service) => options[service]);
  if (services.length !== 1)
    throw new ConfigError(
      'the jobs of one service are printed: expected one of --github, --gitlab, --buildkite and --kubernetes',
    );
  const chosen = await chooseCells(named, options);
  if (options.kubernetes) return printKubernetes(chosen, options);
  const { cells, selection } = chosen;
  const runners = parseRunners(options.runner ?? [], (spelling) => findArch(spelling)?.name);
  const words = (narrowed: Parameters<typeof selectionWords>[1]) =>
    selectionWords(selection, narrowed, { matrix: false });
  const { shards, defaultRunner = options.github ? GITHUB_RUNNER : '' } = options;
  const of = { shards, runners, defaultRunner, words, imagesKey };
  if (options.github) {
    const jobs = githubMatrix(cells, of);
    process.stdout.write(`${JSON.stringify(jobs)}\n`);
    if (process.env['GITHUB_OUTPUT']) writeOutputs({ matrix: jobs, count: jobs.include.length });
    return 0;
  }
  const { bench: _bench, cold: _cold, ...others } = selection.options;
  const pipeline: PipelineOptions = {
    matrix: named,
    // `harness list` has no options other than those that choose cells.
    args: selectionWords({ ...selection, options: others }, {}, { matrix: false })
      .map(shellQuote)
      .join(' '),
    before: options.before ?? BEFORE,
    command: options.call,
    image: options.image,
  };
  process.stdout.write((options.gitlab ? gitlabPipeline : buildkitePipeline)(jobsOf(cells, of), pipeline));
  return 0;
}

/** A job for each class of resources, a pod a cell. Cells run on nodes of their own architecture, unless these emulate. */
async function printKubernetes({ matrix, cells, selection }: ChosenCells, options: Options): Promise<number> {
  const { image, shards, call: command, before = [], claim, queue, kvm } = options;
  if (image === undefined)
    throw new ConfigError('--kubernetes needs --image: what has the project, the harness, and what its targets need');
  if (shards !== undefined) throw new ConfigError('--shards is not for --kubernetes: each cell is a pod');
  // A node's architecture is its name there.
  const engine = { arch: Object.fromEntries(archNames.map((arch) => [arch, arch])) };
  const bench = (selection.options as { bench?: boolean }).bench !== false;
  const asks = await asksOf(cells, { engine, matrix, bench });
  const classes = classesOf(asks).map(({ ask, cells: names }) => ({
    ...{ arch: ask.constraint, cpus: ask.cpus, memoryMiB: ask.memoryMiB, minutes: ask.minutes },
    rows: names.map((name) => selectionWords(selection, { cells: [name] })),
  }));
  process.stdout.write(kubernetesJobs(classes, { name: matrix.name, image, command, before, claim, queue, kvm }));
  return 0;
}

/** @throws InfraError if the step's file of outputs cannot be written: the next jobs would have no matrix. */
function writeOutputs(outputs: Readonly<Record<string, unknown>>): void {
  try {
    for (const [name, value] of Object.entries(outputs)) setOutput(name, value);
  } catch (cause) {
    throw new InfraError(`cannot write the step's outputs: ${messageOf(cause)}`, {
      cause,
      hint: 'GITHUB_OUTPUT names the file: outside of a step of GitHub Actions, leave it empty.',
    });
  }
}

/** What the images and snapshots of some cells are made of, as far as the files of a project say. */
function imagesKey(cells: readonly Cell[]): string {
  const parts = cells.map(({ arch, release, suite: { name, stack, machine, nodes } }) => [
    ...[arch, release, name, stack, machine, nodes],
  ]);
  return keyOf([RECIPE, ...parts]);
}

export const matrixCommand: CliCommand = {
  name: 'matrix',
  takesCommand: true,
  declare: (command) =>
    cellOptions(command)
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
      ),
  act: matrixJobs,
};
