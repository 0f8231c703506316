import { z } from 'zod';
import { compareToControl } from '../harness/bench/comparison.ts';
import type { RunResult } from '../harness/events/result.ts';
import { RESULTS_VERSION, type Results, resultsSchema } from './results-schema.ts';

/** The run as data, with the comparison of benchmarks. Its shape is `schemas/results.schema.json`. */
export function toResults(run: RunResult): Results {
  // The return type ties schema and result together: a field that only one of them has does not compile.
  return { schemaVersion: RESULTS_VERSION, ...run, comparisons: compareToControl(run.cells, run.control) };
}

/** `results.json`. */
export function renderResultsJson(run: RunResult): string {
  return `${JSON.stringify(toResults(run), undefined, 2)}\n`;
}

/** The JSON schemas that this folder publishes: path in the repository → content. */
export function schemaFiles(): Readonly<Record<string, string>> {
  const schema = z.toJSONSchema(resultsSchema, { io: 'output' });
  return { 'reports/schemas/results.schema.json': `${JSON.stringify(schema, undefined, 2)}\n` };
}
