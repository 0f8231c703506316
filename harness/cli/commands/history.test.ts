import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { tempFiles } from '../../testing/temp-files.ts';
import { listJobs } from './history.ts';

const RUN = join(import.meta.dirname, '../../../reports/fixtures/events.jsonl');

test('the jobs of the history are a table with the origin of their run', async () => {
  await using files = await tempFiles({ 'history/none': '' });
  vi.stubEnv('HARNESS_CACHE', join(files.folder, 'cache'));
  await copyFile(RUN, join(files.folder, 'history/a.events.jsonl'));
  let said = '';
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
  try {
    expect(await listJobs({ history: join(files.folder, 'history') })).toBe(0);
    const [head, first, ...others] = said.trimEnd().split('\n');
    expect(head).toMatch(/^job +project +branch +pipeline +change +duration +start +result$/);
    expect(first).toMatch(
      /^amd64\/vm\/smoke +octo\/\S+ +main +check \(pull_request\) +#12 +\S.* 2026-03-14 09:26 +passed$/,
    );
    expect(first!.indexOf('octo')).toBe(head!.indexOf('project'));
    expect(others.find((line) => line.startsWith('ppc64le/vm/swarm'))).toMatch(/incomplete \(non-voting\)$/);
    said = '';
    await listJobs({ history: join(files.folder, 'history'), json: true });
    expect(JSON.parse(said).jobs[0]).toMatchObject({
      job: 'amd64/vm/smoke',
      branch: 'main',
      change: '#12',
      result: 'passed',
    });
  } finally {
    stdout.mockRestore();
    vi.unstubAllEnvs();
  }
});
