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
  /** Something that people should know and that does not stop the deployment. */
  readonly warn: (message: string) => void;
}

/** A machine of a cell and what it is to have. */
export interface StackNode {
  readonly name: string;
  readonly target: Target;
  /** The suite's container images for its architecture. */
  readonly containers: Image['containers'];
  /** Packages of its disk that it has to configure itself. */
  readonly unconfigured: Image['unconfigured'];
  /** Whether its disk was made for the suite, and so has them. */
  readonly onImage: boolean;
}

/** One bringing up of a stack, on all machines of a cell. */
export interface Deployment {
  readonly nodes: readonly StackNode[];
  readonly suite: Suite;
  readonly options: DeployOptions;
}

/** What there is to be on the disk of every machine of a suite. */
export interface DiskParts {
  readonly packages: readonly string[];
  /** What is in each file, by its path. */
  readonly files: Readonly<Record<string, string>>;
}

/** How a journal on a machine that outlives the run puts back what a deployer did there. */
export interface Undo {
  /** What of it is noted in the journal, as one word; undefined when there is nothing to put back. */
  noted(suite: Suite): string | undefined;
  /** Lines of sh that put it back: the word is `$what`. They must do no harm when run again. */
  readonly script: string;
}

/**
 * One way in which a stack comes to stand on machines. `deployers.ts` lists them all, and they are asked in its order; what
 * a suite says for one of them is in its `shape.ts`.
 */
export interface Deployer {
  /** Its verb in journals on machines, and its part of a loaded suite. */
  readonly name: string;
  /** Whether a suite asks for it. Nothing of what follows is asked for one that does not. */
  uses(suite: Pick<SuiteConfig, 'stack'>): boolean;
  /** What a target must have. */
  readonly needs?: readonly Capability[];
  /** What is wrong with a suite that its schema cannot say. @param folder the suite's, absolute. */
  problems?(suite: SuiteConfig, folder: string): Promise<Problem[]>;
  /**
   * What its files in the suite's folder amount to: plain JSON, which travels with the suite (`partOf`).
   * @throws ConfigError
   */
  load?(
    suite: SuiteConfig,
    at: { readonly name: string; readonly folder: string; readonly cwd: string },
  ): Promise<object>;
  /** Why it cannot be done on an architecture, in words; asked before anything starts. */
  unsupported?(suite: Suite, arch: ArchName): string | undefined;
  /** @throws InfraError when this host lacks what it takes: before anything is built for it. */
  prepare?(suite: Suite): Promise<void>;
  /** What it adds to what the suite wants on disks. */
  disk?(suite: Suite): DiskParts;
  /** Ports of machines that it needs itself, beside those of the suite. */
  ports?(suite: Suite): readonly number[];
  /** Plain JSON of which the deployed state depends: part of the key of snapshots. */
  ingredients?(suite: Suite): object;
  /**
   * Does its part on every machine of a cell, each of which has its packages and files on its disk. It is called for all
   * machines at once.
   * @returns what is to be done on one of them, once those before it in the list are done there.
   * @throws StackError naming what did not come up and why.
   */
  up(deployment: Deployment): (node: StackNode) => Promise<void>;
  /** What explains a failure, by the name of a file for it. */
  logs?(target: Target, suite: Suite): Promise<ReadonlyMap<string, string>>;
  readonly undo?: Undo;
  /** What it relies on, when a machine that answers has it no more, and why: then a failed test says nothing of the suite. */
  blame?(target: Target): Promise<{ readonly what: string; readonly why: string; readonly hint: string } | undefined>;
}

/** What a deployer's `load` made of a suite. @throws TypeError where it made nothing: `uses` was not asked. */
export function partOf<T extends object>({ parts }: Pick<Suite, 'parts'>, name: string): T {
  const part = parts?.[name];
  if (part === undefined) throw new TypeError(`the suite was loaded without its part for ${name}`);
  return part as T;
}
