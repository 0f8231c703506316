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
  /** A folder for the engine's own files, which the nodes see under the same path; it is there. */
  readonly folder: string;
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
export interface KindOfEngine<
  Fields extends Readonly<Record<string, z.ZodType>> = Readonly<Record<string, z.ZodType>>,
> {
  /** Its own fields, in addition to those of every engine. */
  readonly fields: Fields;
  /** @param settings from `machines.yaml`, checked: the common ones, and its own fields. */
  open(settings: CommonSettings & z.output<z.ZodObject<Fields>>): Engine;
}

/** Settings of every kind of engine. */
export interface CommonSettings {
  /** Options of the engine's submit command, passed on as they are. */
  readonly options: readonly string[];
  /** A shell command that each row runs before anything else. */
  readonly setup?: string | undefined;
}
