import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigError, InfraError, messageOf } from '../harness/base/errors.ts';
import { makeFolder, replaceFile } from '../harness/base/files.ts';
import type { RunResult } from '../harness/events/result.ts';
import { allure } from './allure.ts';
import { ctrf } from './ctrf.ts';
import { benchmarkReports } from './exports.ts';
import { htmlPages } from './html.ts';
import { renderJunit } from './junit.ts';
import { filePerPart } from './large.ts';
import { openMetrics } from './openmetrics.ts';
import { otlp } from './otlp.ts';
import { oneFile, type Report, type ReportPlace, usualPlace } from './report.ts';
import { resultsJson } from './results-json.ts';
import { sinceWhen } from './since.ts';
import { subunit } from './subunit.ts';
import { renderSummary } from './summary.ts';
import { tap } from './tap.ts';

export { writeAnnotations, writeJobSummary } from './github.ts';
export { type Report, type ReportPlace, usualPlace } from './report.ts';
export { renderResultsJson, schemaFiles } from './results-json.ts';
export { sendTraces } from './send-traces.ts';
export { renderSummary } from './summary.ts';

/** The list of all report formats. A new one is a file beside this, and a line here. */
export const reports: readonly Report[] = [
  {
    name: 'html',
    path: 'index.html',
    about: 'the page',
    always: true,
    files: (run, { since }) => htmlPages(run, 'index.html', since),
  },
  filePerPart({
    name: 'junit',
    path: 'junit.xml',
    about: 'JUnit XML; non-voting failures appear as skipped',
    always: true,
    render: (run, { folder }) => renderJunit(run, { folder }),
  }),
  oneFile({
    name: 'summary',
    path: 'summary.md',
    about: 'Markdown, for a job summary',
    always: true,
    render: (run) => renderSummary(run),
  }),
  oneFile({ name: 'json', path: 'results.json', about: 'everything as data', always: true, render: resultsJson }),
  filePerPart({
    name: 'junit-strict',
    path: 'junit-strict.xml',
    about: "JUnit XML that is valid against Jenkins' junit-10.xsd",
    render: (run, { folder }) => renderJunit(run, { folder, profile: 'strict' }),
  }),
  filePerPart({
    name: 'junit-non-voting',
    path: 'junit-non-voting.xml',
    about: 'JUnit XML of the non-voting cells, with their failures',
    render: (run, { folder }) => renderJunit(run, { folder, cells: 'non-voting' }),
  }),
  ctrf,
  allure,
  tap,
  subunit,
  otlp,
  openMetrics,
  ...benchmarkReports,
];

/** The reports that are written for every run. */
export const usualReports = reports.filter(({ always }) => always === true);

/** The names of the reports written on request. */
export const optionalReports = reports.filter(({ always }) => always !== true).map(({ name }) => name);

/**
 * The usual reports, and the named ones.
 * @throws ConfigError that lists the names, for an unknown one.
 */
export function reportsNamed(names: readonly string[]): Report[] {
  const unknown = names.find((name) => !reports.some((report) => report.name === name));
  if (unknown !== undefined)
    throw new ConfigError(`unknown report ${JSON.stringify(unknown)}, expected one of ${optionalReports.join(', ')}`);
  return reports.filter(({ name, always }) => always === true || names.includes(name));
}

/** The files of a run's reports, for a sentence: `index.html, junit.xml`. */
export function pathsOf(of: readonly Report[], run: RunResult): string {
  return of.map((report) => report.pathFor?.(run) ?? report.path).join(', ');
}

/** The text of a report that is one file. @throws InfraError for one that is not. */
export function renderReport(name: string, run: RunResult, place: ReportPlace = usualPlace(run)): string | Uint8Array {
  const files = [...(reports.find((report) => report.name === name)?.files(run, place) ?? [])];
  if (files.length !== 1) throw new InfraError(`cannot render ${name}: it is ${files.length} files`);
  const { content } = files[0]!;
  return typeof content === 'string' || content instanceof Uint8Array ? content : [...content].join('');
}

/**
 * Writes reports of a run, using earlier runs beside its folder for its failures; files are replaced atomically.
 * Returns the paths written: of each report the file, or the folder if it has several.
 * @throws AggregateError with one InfraError for each report that failed, after the others have been written.
 */
export async function writeReports(
  run: RunResult,
  folder: string,
  which: readonly Report[] = usualReports,
  place: ReportPlace = usualPlace(run),
): Promise<string[]> {
  makeFolder(folder);
  const known = { since: await sinceWhen(run, folder), ...place };
  const errors: InfraError[] = [];
  // One after the other: each of a large run is large.
  for (const report of which)
    await writeReport(report, run, folder, known).catch((cause: unknown) => {
      errors.push(new InfraError(`cannot write ${join(folder, report.path)}: ${messageOf(cause)}`, { cause }));
    });
  if (errors.length > 0) throw new AggregateError(errors, errors.map(({ message }) => message).join('\n'));
  return which.map(({ path }) => join(folder, path));
}

async function writeReport(report: Report, run: RunResult, folder: string, place: ReportPlace): Promise<void> {
  let first = true;
  for (const { path, content } of report.files(run, place)) {
    // Files of an earlier version of the report must not remain.
    if (first && path !== report.path) await rm(join(folder, report.path), { recursive: true, force: true });
    first = false;
    makeFolder(dirname(join(folder, path)));
    await replaceFile(join(folder, path), content);
  }
}
