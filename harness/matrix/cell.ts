import type { ArchName } from '../arch/index.ts';
import type { Suite } from '../config/suite.ts';

/** One combination of architecture, kind of target and suite. */
export interface Cell {
  /** `arch/target/suite`. */
  readonly name: string;
  readonly arch: ArchName;
  readonly target: 'vm';
  readonly suite: Suite;
  readonly voting: boolean;
}
