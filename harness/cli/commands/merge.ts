import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { cp, lstat, readdir, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import {
  renderResultsJson,
  renderSummary,
  sendTraces,
  writeAnnotations,
  writeJobSummary,
  writeReports,
} from '../../../reports/index.ts';
import { findCellArch } from '../../arch/index.ts';
import { ConfigError, messageOf } from '../../base/errors.ts';
import { makeFolder } from '../../base/files.ts';
import { printable } from '../../base/text.ts';
import { findProject } from '../../config/load/project.ts';
import { loadRun } from '../../events/load-run.ts';
import { openMerge, type Part, type Plan } from '../../events/merge.ts';
import { eventsIn } from '../../events/reader.ts';
import { toLine } from '../../events/sanitize.ts';
import type { StoredEvent } from '../../events/types.ts';
import { pointLatest, runsFolder } from '../../run/schedule/run.ts';
import { afterRun } from '../after-run.ts';
import type { CliCommand } from '../command.ts';
import { reportOption } from '../options.ts';
import { placeOf, type ReportFlags, reportsOf } from '../reports-of.ts';

/** Depth of the search for runs below a folder: an artifact has `.harness/runs/RUN/` or less. */
const DEPTH = 6;

/**
 * `harness merge FOLDER…`: merges the runs of several jobs into one, with one set of reports, as if one harness had run
 * them all. In a matrix of jobs only this writes annotations and the summary.
 */
async function merge(
  folders: readonly string[],
  options: ReportFlags & { readonly plan?: string; readonly json?: boolean; readonly summary?: boolean },
): Promise<number> {
  const which = reportsOf(options);
  const project = await findProject(process.cwd());
  const planned = options.plan === undefined ? undefined : await readPlan(options.plan);
  const parts = (await Promise.all(folders.map(partsIn))).flat();
  const merging = await openMerge(parts, {
    planned,
    // It names a folder, and is from a file.
    nameOf: (earliest) => `${earliest.replaceAll(/[^A-Za-z0-9._-]/g, '-')}-merged-${randomBytes(2).toString('hex')}`,
  });
  const folder = join(runsFolder(project.root), merging.run);
  makeFolder(folder);
  await writeEvents(join(folder, 'events.jsonl'), merging.events());
  for (const warning of merging.warnings) process.stderr.write(`warning: ${printable(warning)}\n`);
  for (const { source } of merging.parts) await copyCells(dirname(source), folder);
  await pointLatest(runsFolder(project.root), merging.run);
  const result = await loadRun(folder);
  await afterRun(
    async () => writeReports(result, folder, which, await placeOf(project.root, result, folder)),
    () => options.summary !== false && writeJobSummary(renderSummary(result)),
    () => sendTraces(result),
    () => void (options.json ? process.stdout.write(renderResultsJson(result)) : writeAnnotations(result)),
  );
  if (!options.json) {
    const place = relative(process.cwd(), folder);
    process.stdout.write(
      `${result.state}: ${result.cells.length} cells, ${result.counts.planned} tests of ${merging.parts.length} runs: ${place}/index.html\n`,
    );
  }
  return result.exitCode;
}

/** The parts below a folder of the command line; if there are none, one that says why, so that it counts as lost. */
async function partsIn(folder: string): Promise<Part[]> {
  const found = await partsBelow(folder, DEPTH);
  return found.length > 0 ? found : [lost(folder, 'there is no events.jsonl in it: does the job upload hidden files?')];
}

/** Every part below a folder, sorted. Links are not followed: `latest` is one of the others. */
async function partsBelow(folder: string, depth: number): Promise<Part[]> {
  try {
    const entries = (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
    const source = join(folder, 'events.jsonl');
    if (entries.some((entry) => entry.name === 'events.jsonl' && entry.isFile()))
      return [{ source, bytes: (await stat(source)).size, events: () => eventsIn(source) }];
    if (entries.some((entry) => entry.name === 'cells' && entry.isDirectory()))
      return [lost(folder, 'it is the folder of a run, and its events.jsonl is missing')];
    if (depth === 0) return [];
    const below = entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
    return (await Promise.all(below.map((inner) => partsBelow(inner, depth - 1)))).flat();
  } catch (cause) {
    return [lost(folder, messageOf(cause))];
  }
}

/** A part without anything to read. */
function lost(source: string, why: string): Part {
  return {
    source,
    bytes: 0,
    events: () => {
      throw new ConfigError(why);
    },
  };
}

/** Characters of events to write at once. */
const BATCH = 2 ** 18;

/** Writes events to a file, which appears once it is complete. */
async function writeEvents(file: string, events: AsyncIterable<StoredEvent>): Promise<void> {
  async function* batches() {
    let batch = '';
    for await (const event of events) {
      batch += `${toLine(event)}\n`;
      if (batch.length < BATCH) continue;
      yield batch;
      batch = '';
    }
    yield batch;
  }
  const temporary = `${file}.partial`;
  await pipeline(batches, createWriteStream(temporary));
  await rename(temporary, file);
}

const plan = z.object({
  matrix: z.string().optional(),
  control: z.string().optional(),
  cells: z.array(
    z.object({
      name: z.string(),
      arch: z.string().transform((spelling, context) => {
        const arch = findCellArch(spelling);
        if (arch === undefined) context.addIssue(`unknown architecture ${JSON.stringify(spelling)}`);
        return arch ?? z.NEVER;
      }),
      target: z.string(),
      suite: z.string(),
      voting: z.boolean(),
    }),
  ),
});

/** The output of `harness list --json`. */
async function readPlan(file: string): Promise<Plan> {
  const hint = 'It is what `harness list --json` prints in the plan job.';
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ConfigError(`cannot read the plan ${file}: ${messageOf(cause)}`, { cause, hint });
  });
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (cause) {
    throw new ConfigError(`cannot read the plan ${file}: ${messageOf(cause)}`, { cause, hint });
  }
  const parsed = plan.safeParse(data);
  if (!parsed.success)
    throw new ConfigError(`cannot read the plan ${file}: ${z.prettifyError(parsed.error)}`, { hint });
  return parsed.data;
}

/** The consoles and journals of a part, for the links of the report. Only plain files: a link may lead anywhere. */
async function copyCells(from: string, to: string): Promise<void> {
  const cells = join(from, 'cells');
  if (!(await lstat(cells).catch(() => undefined))?.isDirectory()) return;
  await cp(cells, join(to, 'cells'), {
    recursive: true,
    filter: async (source) => {
      const found = await lstat(source);
      return found.isDirectory() || found.isFile();
    },
  });
}

export const mergeCommand: CliCommand = {
  name: 'merge',
  byCells: true,
  declare: (command) =>
    reportOption(command)
      .description('merge the runs of several jobs into one run with one set of reports')
      .argument('<folders...>', "folders that hold the jobs' runs, at any depth")
      .option('--plan <file>', 'output of `harness list --json`: a planned cell that no part has is incomplete')
      .option('--no-summary', 'write no GitHub job summary; `harness report --summary` does')
      .option('--json', 'print results.json on stdout')
      .addHelpText('after', '\nExamples:\n  harness merge parts --plan plan.json'),
  act: merge,
};
