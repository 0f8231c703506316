import { relative } from 'node:path';
import {
  pathsOf,
  type Report,
  renderResultsJson,
  renderSummary,
  sendTraces,
  writeAnnotations,
  writeJobSummary,
  writeReports,
} from '../../../reports/index.ts';
import { cacheFolder, stateFolder } from '../../base/folders.ts';
import { version } from '../../base/package.ts';
import { loadRun } from '../../events/load-run.ts';
import type { RunResult } from '../../events/result.ts';
import type { CellOptions } from '../../matrix/plan.ts';
import { type RunOutcome, runMatrix } from '../../run/schedule/run.ts';
import { afterRun } from '../after-run.ts';
import { chooseCells } from '../cells.ts';
import { interruptible } from '../interrupt.ts';
import { placeOf, type ReportFlags, reportsOf } from '../reports-of.ts';
import { createTerminal } from '../terminal/terminal.ts';

export interface RunFlags extends CellOptions, ReportFlags {
  readonly jobs?: number;
  readonly keep?: boolean;
  readonly bench?: boolean;
  readonly cold?: boolean;
  readonly part?: boolean;
  readonly summary?: boolean;
}

/** `harness run [matrix]` */
export async function run(named: string | undefined, options: RunFlags): Promise<number> {
  const { exitCode } = await runCells(named, options, (result) => {
    if (options.json) process.stdout.write(renderResultsJson(result));
  });
  return exitCode;
}

/**
 * Runs the cells that a command line means, with progress, reports and whatever else a run is expected to leave.
 * @param onResult is told what came of it, when the reports have been written.
 */
export async function runCells(
  named: string | undefined,
  options: RunFlags,
  onResult: (result: RunResult) => void = () => {},
): Promise<RunOutcome> {
  const which = reportsOf(options);
  const { project, matrix, cells, providers, selection } = await chooseCells(named, options);
  const terminal = options.json
    ? undefined
    : createTerminal({
        stream: process.stderr,
        env: process.env,
        now: Date.now,
        isTty: process.stderr.isTTY === true,
        streams: cells.some(({ suite }) => suite.tests.length > 0),
      });
  try {
    return await interruptible({ quiet: options.json === true }, (interrupt) =>
      runMatrix({
        matrix,
        cells,
        selection,
        project: project.root,
        cache: cacheFolder(),
        providers,
        state: stateFolder(),
        version,
        argv: process.argv.slice(2),
        jobs: options.jobs,
        keep: options.keep === true,
        bench: options.bench !== false,
        cold: options.cold === true,
        interrupt,
        onEvent: (event) => terminal?.event(event),
        onProgress: (cell, message) => terminal?.progress(cell, message),
        onOutput: (cell, line) => terminal?.output(cell, line),
        onEnd: async (folder) => {
          await terminal?.stop();
          await afterRun(async () => {
            const result = await loadRun(folder);
            const written = await afterRun(async () =>
              writeReports(result, folder, which, await placeOf(project.root, result, folder)),
            );
            await afterRun(
              () => terminal?.done(result),
              () => onResult(result),
              () => void (written && !options.json && process.stderr.write(`\n${placesOf(folder, which)}\n`)),
              () => !options.part && options.summary !== false && writeJobSummary(renderSummary(result)),
              () => !options.part && sendTraces(result),
              // They go to stdout, which is one document then.
              () => !options.part && !options.json && writeAnnotations(result),
            );
          });
        },
      }),
    );
  } finally {
    await terminal?.stop();
  }
}

/** Where the reports are, relative to the current folder while there is one. */
function placesOf(folder: string, which: readonly Report[]): string {
  return `reports: ${relative(currentFolder(), folder) || '.'}/${pathsOf(which)}`;
}

/** It may be removed while cells run. */
function currentFolder(): string {
  try {
    return process.cwd();
  } catch {
    return '/';
  }
}
