import { command } from './command/kind.ts';
import { container } from './container/kind.ts';
import { local } from './local/kind.ts';
import { memory } from './memory/kind.ts';
import { ssh } from './ssh/kind.ts';
import type { Capability, KindOfTarget } from './target.ts';
import { vm } from './vm/kind.ts';

/**
 * Every kind of target by name. A new one is a folder beside the others and a line here: the names in a matrix,
 * `harness doctor`, recommendations to suites, and reconnecting follow from it.
 */
export const kinds = { vm, container, ssh, local, command, memory } satisfies Record<string, KindOfTarget>;

export type TargetKind = keyof typeof kinds;

/** All of them, in the order in which they are listed. */
const entries = Object.entries(kinds) as [TargetKind, KindOfTarget][];

/** The ones that users can name. */
export const targetKinds: readonly TargetKind[] = entries.filter(([, { hidden }]) => !hidden).map(([name]) => name);

/** The kinds of target that can have all of some capabilities. */
export function kindsWith(capabilities: readonly Capability[]): TargetKind[] {
  return targetKinds.filter((kind) => capabilities.every((need) => kinds[kind].atBest.includes(need)));
}

/** Whether the harness builds the system of a kind of target from a Debian release. */
export function isMadeHere(kind: TargetKind): boolean {
  return kinds[kind].image !== 'none';
}
