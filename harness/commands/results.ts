import picomatch from 'picomatch';
import { formatBytes } from '../base/text.ts';
import type { Suite } from '../config/suite.ts';
import {
  DEFAULT_LIMITS,
  type ForeignResults,
  joinTests,
  RESULTS_FORMATS,
  type ResultsFormat,
  type ResultsFormatName,
  type ResultsProblem,
  readResults,
} from '../results/index.ts';
import type { Target } from '../targets/target.ts';
import { fetchFile, listFiles, removeFiles } from './files.ts';
import type { Workspace } from './workspace.ts';

/** Where a command's results are, as suite.yaml says it. */
export type ResultsSpec = Suite['tests'][number]['results'];

/** The results in a command's output; undefined if they are elsewhere. */
export function printedResults(spec: ResultsSpec, stdout: Uint8Array): ForeignResults | undefined {
  return typeof spec === 'string' && spec !== 'exit' ? readResults(spec, stdout) : undefined;
}

/** The results in all files of a command together; undefined if they are not in files. */
export async function fileResults(
  target: Target,
  workspace: Workspace,
  spec: ResultsSpec,
  deadlineMs: number,
): Promise<ForeignResults | undefined> {
  const place = filesOf(spec);
  if (place === undefined) return undefined;
  const [format, pattern] = place;
  const files = resultsAmong(format, await listFiles(target, workspace, [pattern], deadlineMs));
  if (files.length === 0) return { tests: [], problems: [problem('missing', `${pattern} is not there`)] };
  if (files.length > MAX_FILES)
    return { tests: [], problems: [problem('too large', `${pattern} matches ${files.length} files`)] };
  const results: (ForeignResults & { readonly name: string })[] = [];
  for (const { path, name, bytes } of files) {
    const fetched =
      bytes > DEFAULT_LIMITS.bytes
        ? { why: `it has ${formatBytes(bytes)}, and at most ${formatBytes(DEFAULT_LIMITS.bytes)} are read` }
        : await fetchFile(target, workspace, path, DEFAULT_LIMITS.bytes, deadlineMs);
    const read =
      'bytes' in fetched
        ? readResults(format, fetched.bytes)
        : { tests: [], problems: [problem('unreadable', fetched.why)] };
    const named = read.problems.map((one) => ({ ...one, message: `${name}: ${one.message}` }));
    results.push({ name, tests: read.tests, problems: named });
  }
  const tests = picomatch.scan(pattern).isGlob ? joinTests(results) : results.flatMap(({ tests }) => tests);
  return { tests, problems: results.flatMap(({ problems }) => problems) };
}

/** Without other files that the tools of a format write, unless there are no others. */
function resultsAmong<T extends { readonly name: string }>(
  format: ResultsFormatName,
  files: readonly T[],
): readonly T[] {
  const { beside }: ResultsFormat = RESULTS_FORMATS[format];
  const others = files.filter(({ name }) => !beside?.test(name));
  return others.length > 0 ? others : files;
}

/** Removes old files of results, which would be taken for the command's own. */
export async function removeStale(
  target: Target,
  workspace: Workspace,
  spec: ResultsSpec,
  deadlineMs: number,
): Promise<void> {
  const place = filesOf(spec);
  if (place === undefined) return;
  const files = await listFiles(target, workspace, [place[1]], deadlineMs);
  await removeFiles(
    target,
    workspace,
    files.map(({ path }) => path),
    deadlineMs,
  );
}

/** Files of results that a pattern may match. */
const MAX_FILES = 1000;

function filesOf(spec: ResultsSpec): [ResultsFormatName, string] | undefined {
  if (typeof spec === 'string') return undefined;
  const [entry] = Object.entries(spec);
  return entry as [ResultsFormatName, string];
}

function problem(kind: ResultsProblem['kind'], message: string): ResultsProblem {
  return { kind, severity: 'error', message };
}
