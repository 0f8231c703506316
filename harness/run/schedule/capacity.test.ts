import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { buildersFor, capacityFor, hostCapacity } from './capacity.ts';

const GIB = 2 ** 30;

test.each([
  [
    'cores',
    0.5 * GIB,
    9,
    { cores: 2, availableBytes: 20 * GIB },
    undefined,
    3,
    /^2 cores allow 3, 20\.0 GiB of memory/,
  ],
  ['memory', 4 * GIB, 9, { cores: 16, availableBytes: 10 * GIB }, undefined, 2, /guests of 4\.0 GiB allow 2$/],
  ['cells', 0.5 * GIB, 2, { cores: 8, availableBytes: 20 * GIB }, undefined, 2, /^all cells; /],
  ['the user', 0.5 * GIB, 9, { cores: 2, availableBytes: 20 * GIB }, 5, 5, /^asked for 5$/],
  ['one at least', 64 * GIB, 9, { cores: 1, availableBytes: 1 * GIB }, undefined, 1, /allow 1/],
])('limited by %s', (_, guest, cells, host, wanted, jobs, reason) => {
  const capacity = capacityFor(guest, cells, host, wanted);
  expect(capacity.jobs).toBe(jobs);
  expect(capacity.reason).toMatch(reason);
});

test.each([
  ['a core each', { cores: 4, availableBytes: 20 * GIB }, 4],
  ['memory', { cores: 16, availableBytes: 2.5 * GIB }, 2],
  ['one at least', { cores: 0.5, availableBytes: 0 }, 1],
])('image builds at once: %s', (_, host, expected) => {
  expect(buildersFor(host)).toBe(expected);
});

test('in a control group of 1.5 GB not twelve guests of 512 MiB are started, and the reason is said', async () => {
  const root = await mkdtemp(join(tmpdir(), 'harness-host-'));
  const files = {
    'proc/meminfo': 'MemAvailable: 19713229 kB',
    'proc/self/cgroup': '0::/ci/job',
    'proc/self/mountinfo': '30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw',
    'sys/fs/cgroup/ci/memory.max': '1500000000',
    'sys/fs/cgroup/ci/memory.current': '100000000',
    'sys/fs/cgroup/ci/job/memory.max': 'max',
    'sys/fs/cgroup/ci/job/cpu.max': '50000 100000',
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  const host = await hostCapacity(root);
  expect(host).toMatchObject({ cores: 0.5, availableBytes: 1_400_000_000 });
  const { jobs, reason } = capacityFor(0.5 * GIB, 12, host);
  expect(jobs).toBe(1);
  expect(reason).toBe(
    '0.5 cores (the CPU quota of a control group) allow 1, ' +
      '1.3 GiB of memory (left of the 1.4 GiB of a control group) for guests of 512 MiB allow 1',
  );
  await rm(root, { recursive: true });
});

test('without a limit it is what this machine has', async () => {
  const root = await mkdtemp(join(tmpdir(), 'harness-host-'));
  await mkdir(join(root, 'proc'));
  await writeFile(join(root, 'proc/meminfo'), 'MemTotal: 8 kB\nMemAvailable:    2048 kB\n');
  expect(await hostCapacity(root)).toEqual({ cores: availableParallelism(), availableBytes: 2 * 2 ** 20, limits: {} });
  await rm(root, { recursive: true });
});
