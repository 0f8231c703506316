import { randomBytes } from 'node:crypto';
import { cp, lstat, mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';
import {
  renderResultsJson,
  renderSummary,
  writeAnnotations,
  writeJobSummary,
  writeReports,
} from '../../reports/index.ts';
import { findCellArch } from '../arch/index.ts';
import { ConfigError, messageOf } from '../base/errors.ts';
import { replaceFile } from '../base/files.ts';
import { findProject } from '../config/project.ts';
import { foldEvents } from '../events/fold.ts';
import { mergeEvents, type Part } from '../events/merge.ts';
import { readEvents } from '../events/reader.ts';
import { toLine } from '../events/sanitize.ts';
import type { PlannedCell } from '../events/types.ts';
import { pointLatest, runsFolder } from '../run/run.ts';

/** How deep below a folder runs are looked for: an artifact has `.harness/runs/RUN/` or less. */
const DEPTH = 6;

/**
 * `harness merge FOLDER…`: the runs of several jobs become one, with one set of reports, as if one harness had run them
 * all. Only here a matrix of jobs gets its annotations and its summary.
 */
export async function merge(
  folders: readonly string[],
  options: { readonly plan?: string; readonly json?: boolean },
): Promise<number> {
  const project = await findProject(process.cwd());
  const files = (await Promise.all(folders.map((folder) => eventFiles(folder, DEPTH)))).flat();
  if (files.length === 0)
    throw new ConfigError(`cannot merge: there is no events.jsonl in ${folders.join(', ')}`, {
      hint: 'Each job has to upload its folder .harness/runs, hidden files included.',
    });
  const parts = await readParts(files);
  const merged = mergeEvents(parts, options.plan === undefined ? undefined : await readPlan(options.plan));
  const run = `${foldEvents(merged).run}-merged-${randomBytes(2).toString('hex')}`;
  const [first, ...rest] = merged;
  const events = [{ ...first!, run }, ...rest];
  const folder = join(runsFolder(project.root), run);
  await mkdir(folder, { recursive: true });
  for (const { source } of parts) await copyCells(dirname(source), folder);
  await replaceFile(join(folder, 'events.jsonl'), events.map((event) => `${toLine(event)}\n`).join(''));
  await pointLatest(runsFolder(project.root), run);
  const result = foldEvents((await readEvents(join(folder, 'events.jsonl'))).events);
  await writeReports(result, folder);
  await writeJobSummary(renderSummary(result));
  if (options.json) process.stdout.write(renderResultsJson(result));
  else {
    writeAnnotations(result);
    const place = relative(process.cwd(), folder);
    process.stdout.write(
      `${result.state}: ${result.cells.length} cells, ${result.counts.planned} tests of ${parts.length} runs: ${place}/index.html\n`,
    );
  }
  return result.exitCode;
}

/** Every `events.jsonl` below a folder, sorted. Links are not followed: `latest` is one of the others. */
async function eventFiles(folder: string, depth: number): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new ConfigError(`cannot merge ${folder}: ${messageOf(cause)}`, { cause });
  });
  if (entries.some((entry) => entry.name === 'events.jsonl' && entry.isFile())) return [join(folder, 'events.jsonl')];
  if (depth === 0) return [];
  const below = entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
  return (await Promise.all(below.map((inner) => eventFiles(inner, depth - 1)))).flat().sort();
}

/** An artifact may hold a run twice, for `latest` is uploaded as a copy: the same bytes are one part. */
async function readParts(files: readonly string[]): Promise<Part[]> {
  const seen = new Set<string>();
  const parts: Part[] = [];
  for (const source of files) {
    const text = await readFile(source, 'latin1');
    if (seen.has(text)) continue;
    seen.add(text);
    const { events, notes } = await readEvents(source);
    for (const note of notes) process.stderr.write(`${note}\n`);
    parts.push({ source, events });
  }
  return parts;
}

const plan = z.object({
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

/** What `harness list --json` printed. */
async function readPlan(file: string): Promise<PlannedCell[]> {
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
  return parsed.data.cells;
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
