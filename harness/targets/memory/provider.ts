import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Barrier } from '../../base/barrier.ts';
import type { TargetFacts } from '../../events/types.ts';
import { noteHandle } from '../handle.ts';
import { lacking } from '../lacking.ts';
import {
  type Availability,
  CAPABILITIES,
  type Capability,
  type Io,
  type Target,
  type TargetProvider,
  type TargetSpec,
} from '../target.ts';
import { type Answers, type MemoryHandle, plainAnswers, reconnectMemory, useMemory } from './machine.ts';

export interface MemoryOptions {
  readonly answers?: Answers;
  /** The machines' capabilities. Default: everything except a cluster's network. */
  readonly can?: readonly Capability[];
  /** The availability if nothing is lacking; default: available. */
  readonly availability?: Availability;
  /** Waits as a boot does, or throws what one throws. */
  readonly boot?: (spec: TargetSpec, io: Io) => Promise<void> | void;
  /** The same for resuming from a snapshot. */
  readonly resume?: (spec: TargetSpec) => Promise<void> | void;
  /** Throws like a failing release. */
  readonly release?: () => Promise<void> | void;
  /** The folder for noting changes, as on a machine that outlives the run. */
  readonly undoFolder?: string;
  /** Whether machines can be saved. */
  readonly snapshots?: boolean;
}

/** A machine in memory, seen by its test. */
export interface MemoryMachine {
  readonly spec: TargetSpec;
  /** Its history, in order: `booted`, `off`, `on`, `saved`, `restored`, `left`, `released`. */
  readonly life: readonly string[];
  /** It dies by itself. */
  die(why: Error): void;
}

export interface MemoryProvider extends TargetProvider {
  /** Every machine so far, the oldest first. */
  readonly machines: readonly MemoryMachine[];
}

/** Machines whose commands are a map, and which boot, die, hang and are saved as a test says. */
export function memoryProvider(options: MemoryOptions = {}): MemoryProvider {
  const { answers = {}, can = CAPABILITIES.filter((one) => one !== 'cluster') } = options;
  const machines: MemoryMachine[] = [];

  const start = async (spec: TargetSpec, io: Io, how: 'booted' | 'resumed'): Promise<Target> => {
    const life: string[] = [how];
    const { promise: died, resolve: die } = Promise.withResolvers<Error>();
    machines.push({ spec, life, die });
    const noted = (what: string) => async () => void life.push(what);
    const handle: MemoryHandle = {
      kind: 'memory',
      facts: factsOf(spec),
      can: [...can],
      ports: spec.ports,
      answers: plainAnswers(answers),
    };
    await noteHandle(io, handle);
    await writeFile(join(io.folder, 'console.log'), 'the end of the console\n');
    const snapshots = {
      async save(folder: string, together?: Barrier) {
        await together?.arrive();
        await writeFile(join(folder, 'machine'), spec.hostname);
        await together?.arrive();
        life.push('saved');
      },
      async restore(snapshot: string, together?: Barrier) {
        await readFile(join(snapshot, 'machine'));
        await together?.arrive();
        life.push('restored');
        return handle;
      },
    };
    return {
      ...useMemory(handle, answers, died),
      ...(options.undoFolder === undefined ? {} : { undoFolder: options.undoFolder }),
      ...(can.includes('power') ? { power: { off: noted('off'), on: noted('on') } } : {}),
      ...(spec.vm.snapshots && options.snapshots ? { snapshots } : {}),
      leave: () => void life.push('left'),
      async [Symbol.asyncDispose]() {
        life.push('released');
        await options.release?.();
      },
    };
  };

  return {
    kind: 'memory',
    machines,
    async probe(_arch, needs) {
      const offer = { kind: 'memory', capabilities: can, installs: [], hasModule: () => true } as const;
      return (
        lacking(needs, offer) ?? options.availability ?? { state: 'usable', accelerator: 'native', detail: 'in memory' }
      );
    },
    async acquire(spec, io) {
      await options.boot?.(spec, io);
      io.signal.throwIfAborted();
      return start(spec, io, 'booted');
    },
    snapshots: {
      identity: async ({ hostname }) => (options.snapshots ? { identity: hostname } : { why: 'it was not asked for' }),
      async resume(spec, snapshot, io, together) {
        await readFile(join(snapshot, 'machine'));
        await options.resume?.(spec);
        await together?.arrive();
        return start(spec, io, 'resumed');
      },
    },
    reconnect: reconnectMemory,
  };
}

function factsOf({ arch, vcpus, memoryBytes }: TargetSpec): TargetFacts {
  return { arch: arch.name, kind: 'memory', accelerator: 'native', cpu: 'none', machine: 'memory', vcpus, memoryBytes };
}
