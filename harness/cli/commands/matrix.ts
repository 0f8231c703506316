import { setOutput } from '@actions/core';
import { findArch } from '../../arch/index.ts';
import { ConfigError, InfraError, messageOf } from '../../base/errors.ts';
import { selectionWords } from '../../events/selection.ts';
import { keyOf } from '../../images/cache.ts';
import { RECIPE } from '../../images/settings.ts';
import type { Cell } from '../../matrix/cell.ts';
import { githubMatrix, parseRunners } from '../../matrix/github.ts';
import type { CellOptions } from '../../matrix/plan.ts';
import { chooseCells } from '../cells.ts';

interface Options extends CellOptions {
  readonly shards?: number;
  readonly runner?: string[];
  readonly defaultRunner: string;
}

/**
 * `harness matrix [matrix] --github`: the jobs of a workflow, as `strategy.matrix` takes them. In a step of GitHub Actions
 * also the step's outputs `matrix` and `count`.
 */
export async function matrixJobs(named: string | undefined, options: Options): Promise<number> {
  if (options.shard !== undefined && options.shards !== undefined)
    throw new ConfigError('--shard is one of several jobs, and --shards makes several: only one of them is possible');
  const { cells, selection } = await chooseCells(named, options);
  const runners = parseRunners(options.runner ?? [], (spelling) => findArch(spelling)?.name);
  const { shards, defaultRunner } = options;
  const jobs = githubMatrix(cells, {
    shards,
    runners,
    defaultRunner,
    words: (narrowed) => selectionWords(selection, narrowed, { matrix: false }),
    imagesKey,
  });
  process.stdout.write(`${JSON.stringify(jobs)}\n`);
  if (process.env['GITHUB_OUTPUT']) writeOutputs({ matrix: jobs, count: jobs.include.length });
  return 0;
}

/** @throws InfraError where the step's file of outputs cannot be written: the jobs that come next would have no matrix. */
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
