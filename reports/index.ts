import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InfraError, messageOf } from '../harness/base/errors.ts';
import type { RunResult } from '../harness/events/result.ts';
import { renderHtml } from './html.ts';
import { renderJunit } from './junit.ts';
import { renderResultsJson } from './results-json.ts';
import { renderSummary } from './summary.ts';

export { writeAnnotations, writeJobSummary } from './github.ts';
export { renderHtml } from './html.ts';
export { renderJunit } from './junit.ts';
export { renderResultsJson, schemaFiles } from './results-json.ts';
export { renderSummary } from './summary.ts';

/** The files of a report: name → the function that makes its text. */
export type Renderers = Readonly<Record<string, (run: RunResult) => string>>;

export const renderers: Renderers = {
  'junit.xml': (run) => renderJunit(run),
  'summary.md': (run) => renderSummary(run),
  'results.json': renderResultsJson,
  'index.html': renderHtml,
};

/**
 * Writes every report of a run; a reader sees an old file or a whole new one. Returns the paths written.
 * @throws AggregateError with one InfraError for each report that failed, after the others have been written.
 */
export async function writeReports(run: RunResult, folder: string, files: Renderers = renderers): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const names = Object.keys(files);
  const settled = await Promise.allSettled(
    names.map(async (name) => writeWhole(join(folder, name), files[name]!(run))),
  );
  const errors = settled.flatMap((outcome, index) =>
    outcome.status === 'rejected'
      ? [
          new InfraError(`cannot write ${join(folder, names[index]!)}: ${messageOf(outcome.reason)}`, {
            cause: outcome.reason,
          }),
        ]
      : [],
  );
  if (errors.length > 0) throw new AggregateError(errors, errors.map(({ message }) => message).join('\n'));
  return names.map((name) => join(folder, name));
}

async function writeWhole(file: string, text: string): Promise<string> {
  const temporary = `${file}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    const handle = await open(temporary, 'wx', 0o644);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    return file;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
