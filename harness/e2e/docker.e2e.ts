import { expect, test } from 'vitest';
import { makeProject } from './project.ts';

test('what people do with a Docker engine works on all three architectures', { timeout: 20 * 60_000 }, async () => {
  await using project = await makeProject({});
  const { exitCode, stderr } = await project.harness(['run', 'docker', '--no-bench']);
  expect(exitCode, stderr).toBe(0);
  const { cells } = await project.results();
  expect(cells.map(({ name, verdict }) => [name, verdict])).toEqual(
    ['amd64', 'arm64', 'ppc64le'].map((arch) => [`${arch}/vm/docker`, 'passed']),
  );
  for (const { tests } of cells) expect(tests.length).toBeGreaterThan(20);
});
