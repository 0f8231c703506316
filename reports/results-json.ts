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
  return [...resultsJson(run)].join('');
}

/** Characters of a piece, at least. */
const PIECE = 2 ** 18;

/** The same in pieces: 100,000 cells are more than one string can hold. */
export function* resultsJson(run: RunResult): Iterable<string> {
  const mark = '"cells": []';
  const whole = JSON.stringify({ ...toResults(run), cells: [] }, undefined, 2);
  const at = run.cells.length === 0 ? whole.length : whole.indexOf(`\n  ${mark}`) + `\n  ${mark}`.length - 1;
  let piece = whole.slice(0, at);
  for (const [index, cell] of run.cells.entries()) {
    piece += `${index === 0 ? '' : ','}\n    ${JSON.stringify(cell, undefined, 2).replaceAll('\n', '\n    ')}`;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  yield `${piece}${run.cells.length === 0 ? '' : '\n  '}${whole.slice(at)}\n`;
}

/** The JSON schemas that this folder publishes: path in the repository → content. */
export function schemaFiles(): Readonly<Record<string, string>> {
  const schema = z.toJSONSchema(resultsSchema, { io: 'output' });
  return { 'reports/schemas/results.schema.json': `${JSON.stringify(schema, undefined, 2)}\n` };
}
