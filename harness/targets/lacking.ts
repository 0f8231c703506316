import { formatBytes } from '../base/text.ts';
import type { TargetKind } from './kinds.ts';
import type { Availability, Capability, Lack, Needs } from './target.ts';

/** A target's properties, in the terms of suites' needs. */
export interface Offer {
  readonly kind: TargetKind;
  readonly capabilities: readonly Capability[];
  /** Packages of a stack that provide a missing capability: a Docker engine can be installed where it can run. */
  readonly installs: readonly string[];
  hasModule(name: string): boolean;
  /** Absent: as much as requested. */
  readonly memoryBytes?: number;
  readonly tags?: readonly string[];
}

/** A machine reports the memory that its kernel leaves: of 512 MiB about 455. */
const KERNEL_LEAVES = 0.85;

/** A suite's needs that a target does not meet; undefined if it meets all. */
export function lacking(
  needs: Needs | undefined,
  offer: Offer,
): Extract<Availability, { state: 'lacking' }> | undefined {
  if (!needs) return undefined;
  const { kind } = offer;
  const lacks: Lack[] = [];
  for (const want of needs.capabilities) {
    const brought = want === 'docker' && offer.installs.includes('docker.io') && needs.packages.includes('docker.io');
    if (!offer.capabilities.includes(want) && !brought) lacks.push({ kind, scope: 'kind', need: 'capability', want });
  }
  for (const want of needs.kernelModules)
    if (!offer.hasModule(want)) lacks.push({ kind, scope: 'machine', need: 'kernel module', want });
  for (const want of needs.tags)
    if (!offer.tags?.includes(want)) lacks.push({ kind, scope: offer.tags ? 'machine' : 'kind', need: 'tag', want });
  const { memoryBytes: have } = offer;
  const want = needs.memoryBytes;
  if (have !== undefined && have < KERNEL_LEAVES * want)
    lacks.push({ kind, scope: 'machine', need: 'memory', want, have });
  const [first, ...more] = lacks;
  return first && { state: 'lacking', lacks: [first, ...more] };
}

/**
 * Missing needs in words, to follow "the suite needs":
 * `power and system, which a container target does not have, and the kernel module x, which the machine's kernel does not have`.
 */
export function describeLacks(lacks: readonly Lack[]): string {
  const byWhy = Map.groupBy(lacks, whyOf);
  return [...byWhy].map(([why, same]) => `${same.map(nameOf).join(' and ')}, ${why}`).join(', and ');
}

function nameOf(lack: Lack): string {
  switch (lack.need) {
    case 'capability':
      return lack.want;
    case 'memory':
      return `${formatBytes(lack.want)} of memory`;
    default:
      return `the ${lack.need} ${lack.want}`;
  }
}

function whyOf(lack: Lack): string {
  if (lack.need === 'memory') return `and the machine has ${formatBytes(lack.have)}`;
  if (lack.scope === 'kind') return `which ${targetWithArticle(lack.kind)} does not have`;
  return `which the machine${lack.need === 'kernel module' ? '’s kernel' : ''} does not have`;
}

/** `a vm target`, `an ssh target`. */
export function targetWithArticle(kind: TargetKind): string {
  return `${/^(?:[aeiou]|ssh)/.test(kind) ? 'an' : 'a'} ${kind} target`;
}
