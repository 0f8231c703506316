import { readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';

/** The limits of this process's control group and of all groups above it. Absent: no limit. */
export interface CgroupLimits {
  /** The smallest memory limit, in bytes. */
  readonly memoryBytes?: number;
  /** Bytes still available below every memory limit; page cache that is not in use counts as free. */
  readonly memoryLeftBytes?: number;
  /** Cores' worth of time that the smallest CPU quota gives; may be below one. */
  readonly cores?: number;
}

/** A group of this process and those above it, as folders, innermost first. */
interface Hierarchy {
  readonly version: 1 | 2;
  readonly folders: readonly string[];
}

/** The names of one fact in both versions. v1 says "no limit" with a huge number, v2 with `max`. */
const FILES = {
  1: { limits: ['memory.limit_in_bytes'], usage: 'memory.usage_in_bytes', idle: 'total_inactive_file' },
  2: { limits: ['memory.max', 'memory.high'], usage: 'memory.current', idle: 'inactive_file' },
} as const;

/**
 * Reads the limits that control groups put on this process. Node's `process.constrainedMemory()` reads the innermost
 * group only, and a limit is often on one above it.
 * @param root where `/proc` and the mounts are found; a parameter for tests.
 */
export async function cgroupLimits(root = '/'): Promise<CgroupLimits> {
  const total: number[] = [];
  const left: number[] = [];
  const cores: number[] = [];
  for (const { version, folders } of await hierarchies('memory', root)) {
    const { limits, usage, idle } = FILES[version];
    for (const folder of folders) {
      const found = await Promise.all(limits.map((name) => numberIn(join(folder, name))));
      const limit = Math.min(...found.filter((value) => value !== undefined));
      if (!(limit < UNLIMITED)) continue;
      total.push(limit);
      const used = (await numberIn(join(folder, usage))) ?? 0;
      const cache = Number(new RegExp(`^${idle} (\\d+)$`, 'm').exec(await text(join(folder, 'memory.stat')))?.[1] ?? 0);
      left.push(Math.max(0, limit - Math.max(0, used - cache)));
    }
  }
  for (const { version, folders } of await hierarchies('cpu', root))
    for (const folder of folders) {
      const [quota, period] =
        version === 2
          ? (await text(join(folder, 'cpu.max'))).split(' ').map(Number)
          : [await numberIn(join(folder, 'cpu.cfs_quota_us')), await numberIn(join(folder, 'cpu.cfs_period_us'))];
      if (quota !== undefined && period !== undefined && quota > 0 && period > 0) cores.push(quota / period);
    }
  return {
    ...(total.length > 0 ? { memoryBytes: Math.min(...total), memoryLeftBytes: Math.min(...left) } : {}),
    ...(cores.length > 0 ? { cores: Math.min(...cores) } : {}),
  };
}

/**
 * Where a group has its count of killed processes. Of v2 without those of groups below it: a container that ran out of its
 * own memory is nobody else's matter. Kernels before 5.2 have only both together.
 */
const KILLS = { 1: ['memory.oom_control'], 2: ['memory.events.local', 'memory.events'] } as const;

/**
 * How many processes the kernel has killed so far because memory ran out: those of this process's control group, or of
 * the whole host if the group has no count.
 * @param root as for `cgroupLimits`.
 */
export async function oomKills(root = '/'): Promise<number> {
  const count = (found: string) => /^oom_kill (\d+)$/m.exec(found)?.[1];
  for (const { version, folders } of await hierarchies('memory', root))
    for (const name of KILLS[version]) {
      const own = count(await text(join(folders[0]!, name)));
      if (own !== undefined) return Number(own);
    }
  return Number(count(await text(join(root, 'proc/vmstat'))) ?? 0);
}

/** The memory of this host, in bytes, or of the control group that limits this process to less. */
export async function memoryHere(): Promise<number> {
  return Math.min(totalmem(), (await cgroupLimits()).memoryBytes ?? Number.POSITIVE_INFINITY);
}

/** More than any machine has: how v1 says that there is no limit (`LONG_MAX`, rounded down to a page). */
const UNLIMITED = 2 ** 60;

/** The groups of this process that have a controller: of v1, of v2, or of both on a hybrid system. */
async function hierarchies(controller: 'memory' | 'cpu', root: string): Promise<Hierarchy[]> {
  const groups = (await text(join(root, 'proc/self/cgroup'))).split('\n').map((line) => {
    const [, names = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    return { names: names.split(','), path };
  });
  const mounts = (await text(join(root, 'proc/self/mountinfo'))).split('\n').map((line) => {
    const [left = '', right = ''] = line.split(' - ');
    const [, , , from = '', at = ''] = left.split(' ');
    const [type = '', , options = ''] = right.split(' ');
    return { from, at: plainPath(at), type, options: options.split(',') };
  });
  const found: Hierarchy[] = [];
  const own = groups.find(({ names }) => names.includes(controller));
  const v1 = mounts.find(({ type, options }) => type === 'cgroup' && options.includes(controller));
  if (own && v1) found.push({ version: 1, folders: upwards(root, v1, own.path) });
  const unified = groups.find(({ names, path }) => names.length === 1 && names[0] === '' && path !== '');
  const v2 = mounts.find(({ type }) => type === 'cgroup2');
  if (unified && v2) found.push({ version: 2, folders: upwards(root, v2, unified.path) });
  return found;
}

/** Folders from a group up to the mount's own; what lies above a container's mount cannot be seen from in there. */
function upwards(root: string, mount: { readonly from: string; readonly at: string }, path: string): string[] {
  const inMount = path === mount.from || path.startsWith(`${mount.from.replace(/\/$/, '')}/`);
  const below = (inMount ? path.slice(mount.from.replace(/\/$/, '').length) : path).split('/').filter(Boolean);
  // A path out of the namespace's root (`/../other`) names nothing here.
  const parts = below.includes('..') ? [] : below;
  return Array.from({ length: parts.length + 1 }, (_, up) =>
    join(root, mount.at, ...parts.slice(0, parts.length - up)),
  );
}

/** mountinfo writes blanks and the like as `\040`. */
function plainPath(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** A file's text; empty where there is none: the group may be gone, and a root group has no limits. */
function text(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}

async function numberIn(file: string): Promise<number | undefined> {
  const found = (await text(file)).trim();
  return /^-?\d+$/.test(found) ? Number(found) : undefined;
}
