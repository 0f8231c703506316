import type { z } from 'zod';

/** The resources that a class of cells asks for: cells of one class are submitted together. */
export interface Ask {
  /** Which nodes will do, in the engine's own words; empty: any. */
  readonly constraint: string;
  readonly cpus: number;
  readonly memoryMiB: number;
  /** Nothing else may run on the node meanwhile. */
  readonly exclusive: boolean;
  /** Minutes after which the engine may end a row. */
  readonly minutes: number;
}

/** Rows that are submitted together. Each is started once, on one node, and never again by the engine itself. */
export interface Job {
  /** Its name at the engine, which no other job has. It was written down before the job is submitted. */
  readonly token: string;
  readonly ask: Ask;
  /** The command line of each row. */
  readonly rows: readonly (readonly string[])[];
  /** A folder for the engine's own files, which the nodes see under the same path, unless it moves files; it is there. */
  readonly folder: string;
  /** For an engine that moves files. */
  readonly moved?: MovedFiles;
}

/** What a row is given, and what comes back of it, where nodes do not see this machine's folders. */
export interface MovedFiles {
  /** Files, by their absolute paths: each row finds them in its working folder, under their own names. */
  readonly inputs: readonly string[];
  /** For each row a folder in its working folder, and the one here, which is there, that gets its contents at the end. */
  readonly outputs: readonly { readonly from: string; readonly to: string }[];
  /** The file in `to` that gets what a row prints, while it prints it: all there is of a row that was cancelled. */
  readonly printed: string;
}

/** `stuck`: it waits for something that will not come, such as nodes that there are none of; `why` says for what. */
export type RowState = { readonly state: 'queued' | 'running' } | { readonly state: 'stuck'; readonly why: string };

/** What is alive of a job: the state of each row by its index. A row that is not in it has ended, or was never submitted. */
export type AliveRows = ReadonlyMap<number, RowState>;

/** Whether an engine can be used from here. */
export type EngineState =
  | { readonly state: 'usable'; readonly detail: string }
  | { readonly state: 'missing'; readonly what: string; readonly install: string }
  | { readonly state: 'broken'; readonly why: string };

/**
 * An engine that runs jobs on many machines. It knows nothing of tests: results are event files, and the engine is
 * only asked what is alive. Its accounting, its exit codes and its own requeueing are not used.
 */
export interface Engine {
  /**
   * Whether it brings files to nodes and back (`Job.moved`), and paths of this machine mean nothing there. What a row has left
   * is here once it is not alive any more.
   */
  readonly moves: boolean;
  /** Whether its programs are here, and it answers. */
  probe(): Promise<EngineState>;
  /** How many rows a job may have. */
  maxRows(): Promise<number>;
  /**
   * Submits a job. An error may mean that it was submitted nevertheless: only `alive` tells.
   * @throws InfraError with what the engine said.
   */
  submit(job: Job): Promise<void>;
  /**
   * What is alive of some jobs, in one query.
   * @throws InfraError when the engine does not answer; then nothing may be concluded.
   */
  alive(tokens: readonly string[]): Promise<ReadonlyMap<string, AliveRows>>;
  /** Ends a job, or just some of its rows. Ignores rows that have already ended. @throws InfraError */
  cancel(token: string, rows?: readonly number[]): Promise<void>;
  /** The command that ends a job, for `harness gc` after this process is gone. */
  cancelCommand(token: string): readonly string[];
}

/** A kind of engine: what `machines.yaml` may say of one, and how it is reached. */
export interface KindOfEngine {
  /** Its own fields, in addition to those of every engine. */
  readonly fields: Readonly<Record<string, z.ZodType>>;
  /** @param settings from `machines.yaml`, checked: the common ones, and its own fields, to be parsed for their types. */
  open(settings: CommonSettings & Readonly<Record<string, unknown>>): Engine;
}

/** Settings of every kind of engine. */
export interface CommonSettings {
  /** Options of the engine's submit command, passed on as they are. */
  readonly options: readonly string[];
  /** A shell command that each row runs before anything else. */
  readonly setup?: string | undefined;
}
