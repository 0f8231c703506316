import { expect, test } from 'vitest';
import { processTree } from '../harness/base/process-tree.ts';
import { WHOLE } from './support/part-of-suite.ts';
import { makeProject, troubles } from './support/project.ts';

/** Each takes minutes to build without a cache: `npm test` builds one, `npm run test:suites` both. */
const ARCHS = WHOLE ? ['arm64', 'ppc64le'] : ['arm64'];

/** Peak memory, in bytes, of a process and its descendants together. */
async function peakOf(run: Promise<unknown> & { readonly pid?: number | undefined }): Promise<number> {
  let peak = 0;
  const look = setInterval(() => {
    const bytes = processTree(run.pid!).reduce((sum, one) => sum + one.bytes, 0);
    peak = Math.max(peak, bytes);
  }, 200);
  await run.finally(() => clearInterval(look));
  return peak;
}

test('mariadb-server, which qemu-user cannot configure, is built in little memory and configured in the first boot', async () => {
  await using project = await makeProject({
    'matrices/db.yaml': `arch: [${ARCHS.join(', ')}]\ntarget: [vm]\nsuite: [db]\nlimits: {jobs: 1}\n`,
    'suites/db/suite.yaml': `machine: {memory: 768, disk: 2048}
stack: {packages: [mariadb-server], services: [mariadb]}
`,
    'suites/db/a.scenario.ts': `import { expect, test } from 'multiarch-harness';
test('the database has its tables, and dpkg has nothing left to do', async ({ target, stack }) => {
  expect(await stack.service('mariadb').isActive()).toBe(true);
  expect(Number(await target.sh("mariadb --skip-column-names -e 'select count(*) from mysql.db'"))).toBeGreaterThanOrEqual(0);
  expect(await target.sh('dpkg --audit; ls /usr/sbin/policy-rc.d 2>&1 || true')).toContain('No such file');
  expect(await target.sh('systemctl is-active multi-user.target; systemctl get-default')).toBe('active\\nmulti-user.target');
});
`,
  });
  const build = project.start(['images', 'build', 'db']);
  const peak = await peakOf(build);
  const built = await build;
  expect(built.exitCode, String(built.stderr)).toBe(0);
  expect(peak / 2 ** 30).toBeLessThan(2);

  const { exitCode, stderr } = await project.harness(['run', 'db']);
  const results = await project.results();
  expect(troubles(results), stderr).toEqual([]);
  expect(results.cells.map(({ arch, verdict }) => [arch, verdict])).toEqual(ARCHS.map((arch) => [arch, 'passed']));
  expect(exitCode).toBe(0);
});
