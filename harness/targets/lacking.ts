import { formatBytes } from '../base/text.ts';
import type { TargetKind } from './kinds.ts';
import type { Availability, Capability, Lack, Needs } from './target.ts';

/** What a target has, in the terms in which suites ask. */
export interface Offer {
  readonly kind: TargetKind;
  readonly capabilities: readonly Capability[];
  /** Packages of a stack that bring what the target lacks: a Docker engine can be installed where it can run. */
  readonly installs: readonly string[];
  hasModule(name: string): boolean;
  /** Absent: as much as is asked for. */
  readonly memoryBytes?: number;
  readonly tags?: readonly string[];
}

/** A machine says how much memory its kernel has left for others: of 512 MiB about 455. */
const KERNEL_LEAVES = 0.85;

/** What a suite needs and a target does not have; undefined when it has everything. */
export function lacking(
  needs: Needs | undefined,
  offer: Offer,
): Extract<Availability, { state: 'lacking' }> | undefined {
  if (!needs) return undefined;
  const lacks: Lack[] = [];
  for (const need of needs.capabilities) {
    const brought = need === 'docker' && offer.installs.includes('docker.io') && needs.packages.includes('docker.io');
    if (!offer.capabilities.includes(need) && !brought)
      lacks.push({ need, why: `a ${offer.kind} target does not have` });
  }
  for (const name of needs.kernelModules)
    if (!offer.hasModule(name)) lacks.push({ need: `the kernel module ${name}`, why: 'its kernel does not have' });
  for (const tag of needs.tags)
    if (!offer.tags?.includes(tag)) lacks.push({ need: `the tag ${tag}`, why: `a ${offer.kind} target does not have` });
  const { memoryBytes } = offer;
  if (memoryBytes !== undefined && memoryBytes < KERNEL_LEAVES * needs.memoryBytes)
    lacks.push({
      need: `${formatBytes(needs.memoryBytes)} of memory`,
      why: `its ${formatBytes(memoryBytes)} are less than`,
    });
  const [first, ...more] = lacks;
  return first && { state: 'lacking', lacks: [first, ...more] };
}
