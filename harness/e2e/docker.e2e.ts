import { expect, test } from 'vitest';
import { makeProject, troubles } from './project.ts';

/**
 * One cell of the matrix that comes with the package: the scenarios are the same on the others, which take three times as
 * long, and are for the nightly matrix. Once more if it fails, and vitest says so: an engine has deadlines of its own,
 * which are not for emulated machines.
 */
test('what people do with a Docker engine works', { retry: 1, timeout: 30 * 60_000 }, async () => {
  await using project = await makeProject({});
  const cell = 'amd64/vm/docker';
  const { exitCode, stderr } = await project.harness(['run', 'docker', '--only', cell, '--no-bench']);
  const results = await project.results();
  expect(troubles(results)).toEqual([]);
  expect(exitCode, stderr).toBe(0);
  expect(results.cells.map(({ name }) => name)).toEqual([cell]);
  expect(results.cells[0]!.tests.length).toBeGreaterThan(20);
});
