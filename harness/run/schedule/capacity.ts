import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { cgroupLimits } from '../../base/cgroup.ts';
import { formatBytes } from '../../base/text.ts';

/** How many guests run at once, and the reason in words. */
export interface Capacity {
  readonly jobs: number;
  readonly reason: string;
}

/** What QEMU needs besides the guest's memory: its code, translation cache and devices. */
const OVERHEAD_BYTES = 200 * 2 ** 20;
/** Left to the host. */
const RESERVE_BYTES = 2 ** 30;

export interface HostCapacity {
  /** May be a fraction, with a CPU quota. */
  readonly cores: number;
  readonly availableBytes: number;
  /** What limits the numbers, for people; absent if they are the machine's own. */
  readonly limits?: { readonly cores?: string; readonly memory?: string };
}

/**
 * As many guests as memory and cores allow. Each is counted with the memory of the largest; there are one and a half
 * guests per core, because a guest spends about a third of its time waiting for devices or for its turn to measure.
 */
export function capacityFor(guestBytes: number, cells: number, host: HostCapacity, wanted?: number): Capacity {
  const byMemory = Math.max(1, Math.floor((host.availableBytes - RESERVE_BYTES) / (guestBytes + OVERHEAD_BYTES)));
  const byCores = Math.max(1, Math.floor(host.cores * 1.5));
  if (wanted !== undefined) return { jobs: Math.min(wanted, cells), reason: `asked for ${wanted}` };
  const jobs = Math.min(byMemory, byCores, cells);
  const { limits = {} } = host;
  const because = (why: string | undefined) => (why === undefined ? '' : ` (${why})`);
  const memory = `${formatBytes(host.availableBytes)} of memory${because(limits.memory)} for guests of ${formatBytes(guestBytes)} allow ${byMemory}`;
  const cores = `${Number(host.cores.toFixed(2))} cores${because(limits.cores)} allow ${byCores}`;
  return { jobs, reason: jobs === cells ? `all cells; ${cores}, ${memory}` : `${cores}, ${memory}` };
}

/** Bytes of memory reserved for an image build; the build itself has a higher limit. */
const BUILD_BYTES = 2 ** 30;

/** How many images are built at once: one per core, if memory allows. */
export function buildersFor(host: HostCapacity): number {
  return Math.max(1, Math.min(Math.floor(host.cores), Math.floor(host.availableBytes / BUILD_BYTES)));
}

/**
 * The cores and the memory that this process may use without swapping: this host's, or less if a control group limits
 * it, as in containers, CI jobs and systemd units.
 * @param root the folder that holds `/proc`; a parameter for tests.
 */
export async function hostCapacity(root = '/'): Promise<HostCapacity> {
  const meminfo = await readFile(join(root, 'proc/meminfo'), 'utf8').catch(() => '');
  const kib = Number(/^MemAvailable:\s+(\d+) kB/m.exec(meminfo)?.[1] ?? 0);
  const group = await cgroupLimits(root);
  const free = kib * 1024;
  const cores = availableParallelism();
  const fewer = group.cores !== undefined && group.cores < cores;
  const less = group.memoryLeftBytes !== undefined && group.memoryLeftBytes < free;
  return {
    cores: fewer ? group.cores! : cores,
    availableBytes: less ? group.memoryLeftBytes! : free,
    limits: {
      ...(fewer ? { cores: 'the CPU quota of a control group' } : {}),
      ...(less ? { memory: `left of the ${formatBytes(group.memoryBytes!)} of a control group` } : {}),
    },
  };
}
