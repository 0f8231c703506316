import { stringify } from 'yaml';
import { shellQuote } from '../base/text.ts';
import type { CellJob } from './jobs.ts';

/** The commands of another service's job, apart from its cells. */
export interface PipelineOptions {
  /** The matrix as `harness run` takes it; absent: the project's. */
  readonly matrix?: string | undefined;
  /** The options that choose all of the cells, for `harness list` in the last job. */
  readonly args: string;
  /** Shell commands that install the harness. */
  readonly before: readonly string[];
  /** The command that starts the harness. */
  readonly command: string;
  /** A container's image for all jobs. */
  readonly image?: string | undefined;
}

const RUNS = '.harness/runs';

/**
 * A child pipeline for GitLab: a job for each entry, and one that merges their runs, whose `junit.xml` the merge
 * request shows. A job is red if its cells are, and the last one decides for all.
 * Source: https://docs.gitlab.com/ci/yaml/
 */
export function gitlabPipeline(jobs: readonly CellJob[], options: PipelineOptions): string {
  const { before, command, image } = options;
  const kept = { when: 'always', expire_in: '2 weeks' };
  const entries = jobs.map(
    ({ name, runner, args, cacheKey }) =>
      [
        // A name that begins with a dot is not a job, nor is one of GitLab's reserved names.
        `cell ${name}`,
        {
          stage: 'cells',
          ...(runner === '' ? {} : { tags: [runner] }),
          cache: { key: cacheKey, paths: ['.harness/cache/'] },
          variables: { HARNESS_CACHE: '$CI_PROJECT_DIR/.harness/cache' },
          script: [runLine(options, args)],
          artifacts: { ...kept, paths: [`${RUNS}/`] },
        },
      ] as const,
  );
  const pipeline = {
    ...(image === undefined ? {} : { image }),
    stages: ['cells', 'merge'],
    // Runs whatever started the parent, without its own rules for branches or merge requests.
    workflow: { rules: [{ when: 'always' }] },
    default: { before_script: before, interruptible: true },
    ...Object.fromEntries(entries),
    merge: {
      stage: 'merge',
      when: 'always',
      script: [`${command} list${wordsOf(options)} --json > plan.json`, `${command} merge ${RUNS} --plan plan.json`],
      artifacts: {
        ...kept,
        paths: [`${RUNS}/*-merged-*/`],
        reports: { junit: [`${RUNS}/*-merged-*/junit.xml`, `${RUNS}/*-merged-*/junit-part-*.xml`] },
      },
    },
  };
  return `# Made by: harness matrix --gitlab\n${stringify(pipeline, { lineWidth: 0 })}`;
}

/** The command that runs the cells of a job. */
export function runLine({ command, matrix }: PipelineOptions, args: string): string {
  return `${command} run${wordsOf({ matrix, args })} --part`;
}

/** The matrix and the options that choose cells, each preceded by a blank. */
export function wordsOf({ matrix, args }: Pick<PipelineOptions, 'matrix' | 'args'>): string {
  return [...(matrix === undefined ? [] : [shellQuote(matrix)]), ...(args === '' ? [] : [args])]
    .map((word) => ` ${word}`)
    .join('');
}
