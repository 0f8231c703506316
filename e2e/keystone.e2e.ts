import { expect, test } from 'vitest';
import { putSuite, scenarioFiles, WHOLE } from './support/part-of-suite.ts';
import { makeProject, troubles } from './support/project.ts';

/** Ten minutes on amd64 without a cache, four of them for Tempest: only with `npm run test:suites`. */
test.runIf(WHOLE)(
  'Keystone does what people want of it, and each of Tempest’s identity tests is a test of the cell',
  { timeout: 40 * 60_000 },
  async () => {
    await using project = await makeProject({});
    const files = scenarioFiles('keystone', []);
    await putSuite(project, 'keystone', files);
    const cell = 'amd64/vm/keystone';
    const { exitCode, stderr } = await project.harness(['run', 'keystone', '--only', cell, '--no-bench', '--cold']);
    const results = await project.results();
    expect(troubles(results), stderr).toEqual([]);
    expect(exitCode, stderr).toBe(0);
    const [{ tests, steps }] = results.cells as [(typeof results.cells)[0]];
    const tempest = tests.filter(({ name }) => name.includes('tempest.api.identity.v3') || name.includes('test_'));
    const count = (verdict: string) => tempest.filter((one) => one.verdict === verdict).length;
    expect({ passed: count('passed'), skipped: count('skipped') }).toEqual({ passed: 23, skipped: 3 });
    // The results are Tempest's own, and each skipped test has a reason.
    for (const { attempts, note } of tempest.filter(({ verdict }) => verdict === 'skipped'))
      expect(JSON.stringify([note, attempts])).toContain('ecurity compliance');
    expect(new Set(tests.map(({ file }) => file))).toEqual(new Set(['Tempest', ...files]));
    const deployed = steps.find(({ step }) => step === 'deploy')?.phases?.map(({ name }) => name);
    expect(deployed).toEqual(['start Keystone', 'Keystone answers']);
  },
);
