import { formatBytes } from '../base/text.ts';
import type { Availability, Capability, Lack, Needs, TargetKind } from './target.ts';

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

/** What each kind of target can have at best: who is refused is told where it would work. */
const AT_BEST: Readonly<Record<TargetKind, readonly Capability[]>> = {
  vm: ['system', 'root', 'power', 'network', 'docker', 'cluster'],
  container: ['root', 'network'],
  ssh: ['system', 'root', 'power', 'network', 'docker'],
  local: ['root', 'network'],
  command: ['system', 'root', 'network', 'docker'],
};

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

/** The kinds of target that can have all of some capabilities. */
export function kindsWith(capabilities: readonly Capability[]): TargetKind[] {
  return (Object.keys(AT_BEST) as TargetKind[]).filter((kind) =>
    capabilities.every((need) => AT_BEST[kind].includes(need)),
  );
}
