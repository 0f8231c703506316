import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { formatBytes } from '../base/text.ts';

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
  readonly cores: number;
  readonly availableBytes: number;
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
  const memory = `${formatBytes(host.availableBytes)} of memory for guests of ${formatBytes(guestBytes)} allow ${byMemory}`;
  const cores = `${host.cores} cores allow ${byCores}`;
  return { jobs, reason: jobs === cells ? `all cells; ${cores}, ${memory}` : `${cores}, ${memory}` };
}

/** This host's cores, and the memory that can be had without swapping. */
export async function hostCapacity(): Promise<HostCapacity> {
  const meminfo = await readFile('/proc/meminfo', 'utf8');
  const kib = Number(/^MemAvailable:\s+(\d+) kB/m.exec(meminfo)?.[1] ?? 0);
  return { cores: availableParallelism(), availableBytes: kib * 1024 };
}
