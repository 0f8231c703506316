import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { cgroupLimits, oomKills } from './cgroup.ts';

let root: string;
afterEach(() => rm(root, { recursive: true, force: true }));

/** Files as a kernel has them. */
async function kernelOf(files: Readonly<Record<string, string>>) {
  root = await mkdtemp(join(tmpdir(), 'harness-cgroup-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), `${text}\n`);
  }
  return root;
}

const limitsOf = async (files: Readonly<Record<string, string>>) => cgroupLimits(await kernelOf(files));

const V2_MOUNT = '30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate';
const v1Mount = (controller: string, from = '/') =>
  `31 24 0:27 ${from} /sys/fs/cgroup/${controller} rw shared:9 - cgroup cgroup rw,${controller}`;
const MIB = 2 ** 20;

test('v2: the limit of a group above counts, and so does its usage without idle cache', async () => {
  const limits = await limitsOf({
    'proc/self/cgroup': '0::/user.slice/job.scope',
    'proc/self/mountinfo': V2_MOUNT,
    'sys/fs/cgroup/user.slice/job.scope/memory.max': 'max',
    'sys/fs/cgroup/user.slice/job.scope/cpu.max': 'max 100000',
    'sys/fs/cgroup/user.slice/memory.max': String(1500 * MIB),
    'sys/fs/cgroup/user.slice/memory.current': String(700 * MIB),
    'sys/fs/cgroup/user.slice/memory.stat': `anon 5\ninactive_file ${200 * MIB}\nactive_file 7`,
    'sys/fs/cgroup/user.slice/cpu.max': '150000 100000',
  });
  expect(limits).toEqual({ memoryBytes: 1500 * MIB, memoryLeftBytes: 1000 * MIB, cores: 1.5 });
});

test('v2: memory.high throttles before memory.max kills, so the smaller one counts', async () => {
  const limits = await limitsOf({
    'proc/self/cgroup': '0::/a',
    'proc/self/mountinfo': V2_MOUNT,
    'sys/fs/cgroup/a/memory.max': String(4096 * MIB),
    'sys/fs/cgroup/a/memory.high': String(1024 * MIB),
    'sys/fs/cgroup/a/memory.current': String(24 * MIB),
  });
  expect(limits).toEqual({ memoryBytes: 1024 * MIB, memoryLeftBytes: 1000 * MIB });
});

test('v1: each controller has a hierarchy of its own, and the innermost group may have the larger limit', async () => {
  const limits = await limitsOf({
    'proc/self/cgroup': '4:memory:/jobs/one\n3:cpu,cpuacct:/jobs\n0::/',
    'proc/self/mountinfo': `${v1Mount('memory')}\n${v1Mount('cpu')}`,
    'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712',
    'sys/fs/cgroup/memory/jobs/memory.limit_in_bytes': String(1024 * MIB),
    'sys/fs/cgroup/memory/jobs/memory.usage_in_bytes': String(100 * MIB),
    'sys/fs/cgroup/memory/jobs/one/memory.limit_in_bytes': String(2048 * MIB),
    'sys/fs/cgroup/memory/jobs/one/memory.usage_in_bytes': String(100 * MIB),
    'sys/fs/cgroup/cpu/jobs/cpu.cfs_quota_us': '50000',
    'sys/fs/cgroup/cpu/jobs/cpu.cfs_period_us': '100000',
    'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1',
    'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000',
  });
  expect(limits).toEqual({ memoryBytes: 1024 * MIB, memoryLeftBytes: 924 * MIB, cores: 0.5 });
});

test('in a container: v1 mounts its own group, v2 shows it as the root of its namespace', async () => {
  const v1 = await limitsOf({
    'proc/self/cgroup': '4:memory:/docker/abc',
    'proc/self/mountinfo': v1Mount('memory', '/docker/abc'),
    'sys/fs/cgroup/memory/memory.limit_in_bytes': String(512 * MIB),
  });
  expect(v1.memoryBytes).toBe(512 * MIB);
  await rm(root, { recursive: true });
  const v2 = await limitsOf({
    'proc/self/cgroup': '0::/../elsewhere',
    'proc/self/mountinfo': V2_MOUNT,
    'sys/fs/cgroup/memory.max': String(256 * MIB),
    'sys/fs/cgroup/cpu.max': '200000 100000',
  });
  expect(v2).toMatchObject({ memoryBytes: 256 * MIB, cores: 2 });
});

test('no limits, and no control groups at all, are no limits', async () => {
  const none = await limitsOf({
    'proc/self/cgroup': '4:memory:/a\n0::/',
    'proc/self/mountinfo': `${v1Mount('memory')}\n${V2_MOUNT}`,
    'sys/fs/cgroup/memory/a/memory.limit_in_bytes': '9223372036854771712',
  });
  expect(none).toEqual({});
  await rm(root, { recursive: true });
  expect(await limitsOf({ 'proc/version': 'Linux' })).toEqual({});
});

test('processes that the kernel ended are counted for our own group, not those below it, else for the host', async () => {
  const files = {
    'proc/vmstat': 'pgfault 7\noom_kill 12',
    'proc/self/cgroup': '0::/a',
    'proc/self/mountinfo': V2_MOUNT,
  };
  const events = { 'sys/fs/cgroup/a/memory.events': 'oom 9\noom_kill 3\noom_group_kill 0' };
  expect(await oomKills(await kernelOf({ ...files, ...events }))).toBe(3);
  await rm(root, { recursive: true });
  const local = { 'sys/fs/cgroup/a/memory.events.local': 'oom 1\noom_kill 2\noom_group_kill 0' };
  expect(await oomKills(await kernelOf({ ...files, ...events, ...local }))).toBe(2);
  await rm(root, { recursive: true });
  expect(await oomKills(await kernelOf(files))).toBe(12);
  await rm(root, { recursive: true });
  const v1 = { 'proc/self/cgroup': '4:memory:/a', 'proc/self/mountinfo': v1Mount('memory') };
  const control = { 'sys/fs/cgroup/memory/a/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 5' };
  expect(await oomKills(await kernelOf({ ...v1, ...control }))).toBe(5);
});
