import { expect, test } from 'vitest';
import { makeProject, troubles } from './support/project.ts';

test('a guest of trixie is what it says it is, cold and from its snapshot', async () => {
  await using project = await makeProject({
    'matrices/both.yaml': 'arch: [amd64]\nsuite: [smoke]\nrelease: [trixie, bookworm]\n',
  });
  const listed = await project.harness(['list', 'both']);
  expect(listed.stdout).toBe('amd64/vm/smoke@trixie\namd64/vm/smoke@bookworm');

  // The second run saves the machine, and the third resumes it.
  for (const args of [['--cold'], [], []]) {
    const { exitCode, stderr } = await project.harness([
      'run',
      'both',
      '--no-bench',
      '--only',
      '*/*/smoke@trixie',
      ...args,
    ]);
    const results = await project.results();
    expect(troubles(results)).toEqual([]);
    expect(exitCode, stderr).toBe(0);
    const [cell, ...others] = results.cells;
    expect(others).toEqual([]);
    expect(cell).toMatchObject({ name: 'amd64/vm/smoke@trixie', release: 'trixie', facts: { release: 'trixie' } });
    expect(cell?.packages?.['amd64']?.versions).toMatchObject({ perl: expect.stringMatching(/^5\.4/) });
  }
  const { cells } = await project.results();
  expect(cells[0]?.facts?.resumed).toBeDefined();
});
