import { expect, test } from 'vitest';
import { putSuite, scenarioFiles } from './support/part-of-suite.ts';
import { makeProject, troubles } from './support/project.ts';

/**
 * The mixed cell of the package's matrix: three machines of three architectures in one swarm. The other cells run the
 * same scenarios on one architecture. All scenarios take 9 minutes of both cores.
 */
const SCENARIOS = scenarioFiles('swarm', ['10-form', '20-service', '90-end']);

/**
 * One retry, which vitest reports: Docker's own deadlines of 5, 15 and 20 s are not meant for three emulated machines
 * at once.
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
