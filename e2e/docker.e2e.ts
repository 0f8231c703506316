import { expect, test } from 'vitest';
import { DEFAULT_RELEASE, releaseNames } from '../harness/releases/index.ts';
import { putSuite, scenarioFiles, WHOLE } from './support/part-of-suite.ts';
import { makeProject, troubles } from './support/project.ts';

/**
 * One cell of the matrix that comes with the package: the others run the same scenarios and take three times as
 * long. Of these scenarios a deployment of several services and its upgrade; all of them take 17 minutes beside other
 * guests.
 */
const SCENARIOS = scenarioFiles('docker', ['10-blog']);

/** Each release has another engine and database; one is enough if time is short. */
const RELEASES = WHOLE ? releaseNames : [DEFAULT_RELEASE];

/** One retry, which vitest reports: an engine's own deadlines are not meant for emulated machines. */
test.for(RELEASES)(
  `what people do with a Docker engine of Debian %s works: ${SCENARIOS.join(', ')}`,
  {
    retry: 1,
    timeout: 30 * 60_000,
  },
  async (release) => {
    await using project = await makeProject({});
    await putSuite(project, 'docker', SCENARIOS);
    const cell = 'amd64/vm/docker';
    const only = ['--release', release, '--only', cell];
    const { exitCode, stderr } = await project.harness(['run', 'docker', ...only, '--no-bench', '--cold']);
    const results = await project.results();
    expect(troubles(results)).toEqual([]);
    expect(exitCode, stderr).toBe(0);
    expect(results.cells.map(({ name }) => name)).toEqual([cell]);
    expect([...new Set(results.cells[0]!.tests.map(({ file }) => file))]).toEqual(SCENARIOS);
    expect(results.cells[0]!.tests.length).toBeGreaterThan(4);
  },
);
