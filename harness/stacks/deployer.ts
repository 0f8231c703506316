import type { ArchName } from '../arch/index.ts';
import type { SuiteConfig } from '../config/schema/suite.ts';
import type { Suite } from '../config/suite.ts';
import type { Image } from '../images/build.ts';
import type { Capability, Target } from '../targets/target.ts';
import type { Problem } from '../yaml/yaml-source.ts';

export interface DeployOptions {
  /** How many times slower than a native machine it is: deadlines are multiplied by it. */
  readonly scale: number;
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
  /** What a command prints, in the pieces in which it comes. */
  readonly output: (text: string) => void;
  /** How long a part of the deployment took. */
  readonly phase: (phase: { readonly name: string; readonly durationMs: number }) => void;
  /** Something that people should know and that does not stop the deployment. */
  readonly warn: (message: string) => void;
}

/** A machine of a cell and its share of the stack. */
export interface StackNode {
  readonly name: string;
  readonly target: Target;
  /** The suite's container images for its architecture. */
  readonly containers: Image['containers'];
  /** Packages on its disk that it has to configure itself. */
  readonly unconfigured: Image['unconfigured'];
  /** Whether its disk was made for the suite, and so contains them. */
  readonly onImage: boolean;
}

/** One deployment of a stack on all machines of a cell. */
export interface Deployment {
  readonly nodes: readonly StackNode[];
  readonly suite: Suite;
  readonly options: DeployOptions;
}

/** The required content of the disk of every machine of a suite. */
export interface DiskParts {
  readonly packages: readonly string[];
  /** Content of each file, by its path. */
  readonly files: Readonly<Record<string, string>>;
}

/** How a journal undoes a deployer's changes on a machine that outlives the run. */
export interface Undo {
  /** Its argument in the journal, as one word; undefined if there is nothing to undo. */
  noted(suite: Suite): string | undefined;
  /** Lines of sh that undo it; the argument is `$what`. They must be safe to run again. */
  readonly script: string;
}

/**
 * One way to bring a stack up on machines. `deployers.ts` lists them all, and they are called in its order; the suite's
 * keys for one of them are in its `shape.ts`.
 */
export interface Deployer {
  /** Its verb in journals on machines, and the key of its part of a loaded suite. */
  readonly name: string;
  /** Whether a suite uses it. If not, nothing below is called. */
  uses(suite: Pick<SuiteConfig, 'stack'>): boolean;
  /** What a target must have. */
  readonly needs?: readonly Capability[];
  /** Mistakes of a suite that its schema cannot find. @param folder the suite's, absolute. */
  problems?(suite: SuiteConfig, folder: string): Promise<Problem[]>;
  /**
   * Loads its files from the suite's folder: plain JSON, which travels with the suite (`partOf`).
   * @throws ConfigError
   */
  load?(
    suite: SuiteConfig,
    at: { readonly name: string; readonly folder: string; readonly cwd: string },
  ): Promise<object>;
  /** Why it is impossible on an architecture, in words; called before anything starts. */
  unsupported?(suite: Suite, arch: ArchName): string | undefined;
  /** @throws InfraError if this host lacks something: before anything is built for it. */
  prepare?(suite: Suite): Promise<void>;
  /** Its additions to the content of disks. */
  disk?(suite: Suite): DiskParts;
  /** Ports of machines that it needs, in addition to the suite's. */
  ports?(suite: Suite): readonly number[];
  /** Everything that its deployed state depends on, as plain JSON: part of the key of snapshots. */
  ingredients?(suite: Suite): object;
  /**
   * Deploys its part on every machine of a cell, which have their packages and files. Called once for all machines.
   * @returns the work for one of them, done after that of earlier deployers in the list.
   * @throws StackError naming what did not come up and why.
   */
  up(deployment: Deployment): (node: StackNode) => Promise<void>;
  /** Logs that explain a failure, by file name. */
  logs?(target: Target, suite: Suite): Promise<ReadonlyMap<string, string>>;
  readonly undo?: Undo;
  /**
   * The lost foundation of its stack on a machine that still answers, and why: then a failed test says nothing about
   * the suite.
   */
  blame?(target: Target): Promise<{ readonly what: string; readonly why: string; readonly hint: string } | undefined>;
}

/** The result of a deployer's `load` for a suite. @throws TypeError if there is none: `uses` was not checked. */
export function partOf<T extends object>({ parts }: Pick<Suite, 'parts'>, name: string): T {
  const part = parts?.[name];
  if (part === undefined) throw new TypeError(`the suite was loaded without its part for ${name}`);
  return part as T;
}
