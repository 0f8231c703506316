import { expect, test } from 'vitest';
import { leftovers, makeProject, suiteYaml } from './support/project.ts';

/** Records what earlier tests left in memory, on disk and among the processes, and leaves something in each. */
const stains = `import { expect, test } from 'multiarch-harness';
const stain = async (target) => {
  const found = await target.sh('cat /run/stain /var/stain 2>/dev/null; pgrep -c -f "[s]leep 4711" || true');
  await target.sh('echo memory > /run/stain; echo disk > /var/stain; sync; setsid sleep 4711 >/dev/null 2>&1 < /dev/null & until pgrep -f "[s]leep 4711" >/dev/null; do sleep 0.05; done');
  return found.split('\\n');
};
`;
const CLEAN = `['0']`;
const STAINED = `['memory', 'disk', '1']`;
const twoTests = (first: string, second: string) => `${stains}
test('one', async ({ target }) => expect(await stain(target)).toEqual(${first}));
test('two', async ({ target }) => expect(await stain(target)).toEqual(${second}));
`;

test('machines go back to their state after the deployment: before each file, or each test, or not at all', async () => {
  await using project = await makeProject({
    'matrices/m.yaml':
      'arch: [amd64, ppc64le]\nsuite: [none, file, test]\nexclude: [{arch: ppc64le, suite: [none, file]}]\n',
    'suites/none/suite.yaml': suiteYaml(),
    'suites/none/a.scenario.ts': twoTests(CLEAN, STAINED),
    'suites/file/suite.yaml': suiteYaml('isolate: file\n'),
    'suites/file/a.scenario.ts': twoTests(CLEAN, STAINED),
    'suites/file/b.scenario.ts': twoTests(CLEAN, STAINED),
    'suites/test/suite.yaml': suiteYaml('isolate: test\n'),
    'suites/test/a.scenario.ts': twoTests(CLEAN, CLEAN),
    'suites/test/b.scenario.ts': twoTests(CLEAN, CLEAN),
  });
  // Once after a cold start, once resumed.
  for (const _ of [1, 2]) {
    const { exitCode, stderr } = await project.harness(['run', 'm']);
    expect(exitCode, stderr).toBe(0);
  }
  expect(await leftovers(project.folder)).toEqual([]);

  const { exitCode, stderr } = await project.harness(['run', 'm', '--only', 'amd64/vm/file', '--cold']);
  expect(stderr).toContain('the suite wants its machines restored before each file, but they cannot be saved: --cold');
  expect(exitCode).toBe(4);
});
