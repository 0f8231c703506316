import { expect, test } from 'vitest';
import { jobsOf } from './health.ts';

const cells = [
  { name: 'amd64/vm/unit', voting: true, verdict: 'passed', startedAt: '2026-11-27T10:00:00.000Z', durationMs: 5000 },
  { name: 'ppc64le/vm/unit', voting: false, verdict: 'unsupported', durationMs: 0 },
] as const;
const git = { sha: '0123456789abcdef', dirty: false };

test('a job is a cell with the origin of its run', () => {
  const origin = { ci: 'Zuul', project: 'openstack/nova', branch: 'master', pipeline: 'check', change: '12,3' };
  const shared = { project: 'openstack/nova', branch: 'master', pipeline: 'check', change: '12,3' };
  expect(jobsOf({ origin, git, cells })).toEqual([
    {
      job: 'amd64/vm/unit',
      voting: true,
      ...shared,
      durationMs: 5000,
      startedAt: '2026-11-27T10:00:00.000Z',
      result: 'passed',
    },
    { job: 'ppc64le/vm/unit', voting: false, ...shared, durationMs: 0, result: 'unsupported' },
  ]);
});

test('without a change the commit is shown, and nothing for an older run', () => {
  expect(jobsOf({ origin: { branch: 'main' }, git, cells })[0]).toMatchObject({ branch: 'main', change: '0123456789' });
  expect(jobsOf({ cells })[0]).not.toHaveProperty('change');
});
