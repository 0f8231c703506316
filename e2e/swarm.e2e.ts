import { expect, test } from 'vitest';
import { putSuite, scenarioFiles } from './support/part-of-suite.ts';
import { makeProject, troubles } from './support/project.ts';

/**
 * The mixed cell of the matrix that comes with the package: three machines of three architectures, one swarm. Those of
 * one architecture run the same scenarios on the same code. All scenarios take 9 minutes of both cores.
 */
const SCENARIOS = scenarioFiles('swarm', ['10-form', '20-service', '90-end']);

/**
 * Once more if it fails, and vitest says so: Docker's own deadlines of 5, 15 and 20 s are for machines that are not
 * emulated three at once.
 */
test(`a Docker Swarm of amd64, arm64 and ppc64le lives its life: ${SCENARIOS.join(', ')}`, {
  retry: 1,
  timeout: 20 * 60_000,
}, async () => {
  await using project = await makeProject({});
  await putSuite(project, 'swarm', SCENARIOS);
  const cell = 'amd64+arm64+ppc64le/vm/swarm';
  const { exitCode, stderr } = await project.harness(['run', 'swarm', '--only', cell, '--no-bench', '--cold']);
  const results = await project.results();
  const { cells } = results;
  expect(troubles(results)).toEqual([]);
  expect(exitCode, stderr).toBe(0);
  expect(cells.map(({ name }) => name)).toEqual([cell]);
  expect([...new Set(cells[0]!.tests.map(({ file }) => file))]).toEqual(SCENARIOS);
  expect(cells[0]!.tests.length).toBeGreaterThan(9);
});
