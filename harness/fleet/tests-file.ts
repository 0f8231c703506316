import { readFile, writeFile } from 'node:fs/promises';
import type { TestSelection } from '../events/test-selection.ts';

/** Which tests of each cell are to run, by its name; a cell that it does not have runs all. */
export type TestsOfCells = ReadonlyMap<string, TestSelection>;

/** Writes them down for parts: no command line says which tests of a cell were red. */
export async function writeTests(file: string, tests: TestsOfCells): Promise<void> {
  await writeFile(file, JSON.stringify(Object.fromEntries(tests)));
}

/** What {@link writeTests} has written, by the same harness. */
export async function readTests(file: string): Promise<TestsOfCells> {
  return new Map(Object.entries(JSON.parse(await readFile(file, 'utf8')) as Record<string, TestSelection>));
}
