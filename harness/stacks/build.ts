import type { Suite } from '../config/suite.ts';
import { argvOf } from './ready.ts';

type BuildEntry = Suite['stack']['build'][number];

/** Software that a suite makes from source. */
export type SoftwareBuild = Extract<BuildEntry, { readonly source: string }>;

/** Whether an entry of `build` makes software, and is no command. */
export function isSoftware(entry: BuildEntry): entry is SoftwareBuild {
  return typeof entry === 'object' && 'source' in entry;
}

/** What a suite makes from source, in order. */
export function softwareOf({ stack }: Pick<Suite, 'stack'>): SoftwareBuild[] {
  return stack.build.filter(isSoftware);
}

/** The commands of a suite's `build`, argv of each, which run once that is there. */
export function buildCommands({ stack }: Pick<Suite, 'stack'>): string[][] {
  return stack.build.flatMap((entry) => (isSoftware(entry) ? [] : [argvOf(entry)]));
}
