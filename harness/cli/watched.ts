import { relative } from 'node:path';
import {
  pathsOf,
  type Report,
  renderSummary,
  sendTraces,
  writeAnnotations,
  writeJobSummary,
  writeReports,
} from '../../reports/index.ts';
import { loadRun } from '../events/load-run.ts';
import type { RunResult } from '../events/result.ts';
import { type RunOptions, runsFolder } from '../run/schedule/run.ts';
import { afterRun } from './after-run.ts';
import { interruptible } from './interrupt.ts';
import { placeOf } from './reports-of.ts';
import { expectedDurations } from './terminal/expected.ts';
import { sourceReader } from './terminal/source.ts';
import { createTerminal } from './terminal/terminal.ts';

/** How much of a run is shown while it goes on, and what becomes of it. */
export interface WatchOptions {
  readonly json?: boolean;
  readonly part?: boolean;
  readonly summary?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly color?: 'auto' | 'always' | 'never';
}

interface About {
  /** The project's folder. */
  readonly project: string;
  /** The name of the matrix. */
  readonly matrix: string;
  /** Whether its cells print what their commands print. */
  readonly streams: boolean;
  readonly which: readonly Report[];
  /** Told what came of it, when the reports have been written. */
  readonly onResult: (result: RunResult) => void;
}

/** Callbacks of a run for what is shown. */
export type Watching = Required<Pick<RunOptions, 'interrupt' | 'onEvent' | 'onProgress' | 'onOutput' | 'onEnd'>>;

/** Does work that is a run, with its terminal, what Ctrl-C does to it, and its reports at the end. */
export async function watched<T>(
  options: WatchOptions,
  about: About,
  work: (watching: Watching) => Promise<T>,
): Promise<T> {
  const { project, which, onResult } = about;
  const terminal = options.json
    ? undefined
    : createTerminal({
        stream: process.stderr,
        env: process.env,
        now: Date.now,
        isTty: process.stderr.isTTY === true,
        streams: about.streams,
        ...(options.quiet ? { verbosity: 'quiet' } : options.verbose ? { verbosity: 'verbose' } : {}),
        ...(options.color === undefined || options.color === 'auto' ? {} : { color: options.color === 'always' }),
        expectedMs: await expectedDurations(runsFolder(project), about.matrix),
        source: await sourceReader(project),
      });
  const onEnd = async (folder: string) => {
    await terminal?.stop();
    await afterRun(async () => {
      const result = await loadRun(folder);
      const written = await afterRun(async () =>
        writeReports(result, folder, which, await placeOf(project, result, folder)),
      );
      await afterRun(
        () => terminal?.done(result, shownFolder(folder)),
        () => onResult(result),
        () => void (written && !options.json && process.stderr.write(`\n${placesOf(folder, which, result)}\n`)),
        () => !options.part && options.summary !== false && writeJobSummary(renderSummary(result)),
        () => !options.part && sendTraces(result),
        // They go to stdout, which is one document then.
        () => !options.part && !options.json && writeAnnotations(result),
      );
    });
  };
  try {
    return await interruptible({ quiet: options.json === true }, (interrupt) =>
      work({
        interrupt,
        onEvent: (event) => terminal?.event(event),
        onProgress: (cell, message) => terminal?.progress(cell, message),
        onOutput: (cell, line) => terminal?.output(cell, line),
        onEnd,
      }),
    );
  } finally {
    await terminal?.stop();
  }
}

/** Where the reports are, relative to the current folder while there is one. */
function placesOf(folder: string, which: readonly Report[], run: RunResult): string {
  return `reports: ${shownFolder(folder)}/${pathsOf(which, run)}`;
}

function shownFolder(folder: string): string {
  return relative(currentFolder(), folder) || '.';
}

/** It may be removed while cells run. */
function currentFolder(): string {
  try {
    return process.cwd();
  } catch {
    return '/';
  }
}
