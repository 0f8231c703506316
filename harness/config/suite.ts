import type { MatrixConfig } from './schema/matrix.ts';
import type { SuiteConfig } from './schema/suite.ts';

/** A matrix as loaded: every default filled in. */
export interface Matrix extends Omit<MatrixConfig, 'name'> {
  readonly name: string;
  /** Absolute path of its file; absent if it was made from the command line. */
  readonly file?: string;
  /** A command line left out some of its kinds of target: `exclude` and `non-voting` may speak of cells that are gone. */
  readonly narrowed?: true;
}

/** A suite as loaded. */
export interface Suite extends Omit<SuiteConfig, 'name'> {
  readonly name: string;
  /** Absolute path of the suite's folder. */
  readonly folder: string;
  /** Results of deployers' `load`, by name. */
  readonly parts?: Readonly<Record<string, object>> | undefined;
  /** Made from a command line: its folder is the project's and contains no scenarios of its own. */
  readonly commandLine?: boolean | undefined;
}
