import { setOutput } from '@actions/core';
import { findArch } from '../arch/index.ts';
import { githubMatrix, parseRunners } from '../matrix/github.ts';
import { type CellOptions, chooseCells } from './cells.ts';

interface Options extends CellOptions {
  readonly shards?: number;
  readonly runner?: string[];
  readonly defaultRunner: string;
}

/**
 * `harness matrix [matrix] --github`: the jobs of a workflow, as `strategy.matrix` takes them. In a step of GitHub Actions
 * also the step's outputs `matrix` and `count`.
 */
export async function matrix(named: string | undefined, options: Options): Promise<number> {
  const { cells } = await chooseCells(named, options);
  const runners = parseRunners(options.runner ?? [], (spelling) => findArch(spelling)?.name);
  const jobs = githubMatrix(cells, { shards: options.shards, runners, defaultRunner: options.defaultRunner });
  if (process.env['GITHUB_OUTPUT']) {
    setOutput('matrix', jobs);
    setOutput('count', jobs.include.length);
  }
  process.stdout.write(`${JSON.stringify(jobs)}\n`);
  return 0;
}
