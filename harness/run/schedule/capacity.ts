import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { cgroupLimits } from '../../base/cgroup.ts';
import { formatBytes } from '../../base/text.ts';

/** How many guests at once, and the reason in words. */
export interface Capacity {
  readonly jobs: number;
  readonly reason: string;
}

/** What QEMU needs beside the guest's memory: its code, translation cache and devices. */
const OVERHEAD_BYTES = 200 * 2 ** 20;
/** Left to the host. */
const RESERVE_BYTES = 2 ** 30;

export interface HostCapacity {
  /** With a fraction where a CPU quota gives one. */
  readonly cores: number;
  readonly availableBytes: number;
  /** Where the numbers are not the machine's own: what limits them, for people. */
  readonly limits?: { readonly cores?: string; readonly memory?: string };
}

/**
 * As many guests as memory and cores allow: memory for the largest guest each, and one and a half guests a core, because
 * a guest waits for its devices and for its turn to be measured about a third of its time.
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

/** Bytes that an image build is given room for; what it may take at most is the build's own limit. */
const BUILD_BYTES = 2 ** 30;

/** How many images are built at once: one a core, as far as memory goes. */
export function buildersFor(host: HostCapacity): number {
  return Math.max(1, Math.min(Math.floor(host.cores), Math.floor(host.availableBytes / BUILD_BYTES)));
}

/**
 * The cores and the memory that this process may use without swapping: this host's, or less where a control group
 * limits it, as containers, CI jobs and systemd units do.
 * @param root where `/proc` is found; a parameter for tests.
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
