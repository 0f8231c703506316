import { stringify } from 'yaml';
import { type PipelineOptions, runLine, wordsOf } from './gitlab.ts';
import type { CellJob } from './jobs.ts';

const RUNS = '.harness/runs';

/**
 * Steps for `buildkite-agent pipeline upload`: one for each entry, and a final one that merges their runs.
 * Source: https://buildkite.com/docs/pipelines/configure/step-types/command-step
 */
export function buildkitePipeline(jobs: readonly CellJob[], options: PipelineOptions): string {
  const { before, command } = options;
  const steps = jobs.map(({ id, name, runner, args }) => ({
    label: name,
    key: keyOf(id),
    ...(runner === '' ? {} : { agents: { queue: runner } }),
    commands: [...before, runLine(options, args)].map(uninterpolated),
    artifact_paths: [`${RUNS}/**/*`],
  }));
  const merge = {
    label: 'merge',
    key: 'harness-merge',
    // After every cell, whatever its result.
    depends_on: steps.map(({ key }) => ({ step: key, allow_failure: true })),
    commands: [
      ...before,
      `buildkite-agent artifact download '${RUNS}/**/*' parts/`,
      `${command} list${wordsOf(options)} --json > plan.json`,
      `${command} merge parts --plan plan.json`,
    ].map(uninterpolated),
    artifact_paths: [`${RUNS}/*-merged-*/**/*`],
  };
  return `# Made by: harness matrix --buildkite\n${stringify({ steps: [...steps, merge] }, { lineWidth: 0 })}`;
}

/** A key of a step: letters, digits, `_`, `-` and `:`. */
function keyOf(id: string): string {
  return `cell-${id.replaceAll(/[^A-Za-z0-9_:-]/g, '_')}`;
}

/** Uploading expands `$NAME` at upload time. */
function uninterpolated(command: string): string {
  return command.replaceAll('$', '$$$$');
}
