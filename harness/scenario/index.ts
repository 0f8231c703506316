import { test as base, inject } from 'vitest';
import { request } from '../base/ask.ts';
import { InfraError } from '../base/errors.ts';
import { scaledMs } from '../base/time.ts';
import type { Measurement } from '../events/types.ts';
import { reconnect } from '../targets/reconnect.ts';
import type { Target } from '../targets/target.ts';
import type { ContextNode } from './context.ts';
import { eventuallyWith, scenarioBench, scenarioCluster, scenarioStack, scenarioTarget } from './fixtures.ts';
import { noteFresh } from './hooks.ts';
import { recorded } from './recorder.ts';

export { beforeAll, beforeEach, describe, expect } from 'vitest';
export type { Arch, ArchName } from '../arch/index.ts';
export type { Measurement, TargetFacts } from '../events/types.ts';
export type { Impairment, PortCounters } from '../net/lan.ts';
export type { RemoteLan } from '../net/remote.ts';
export type { BootSource } from '../targets/blank.ts';
export type { Fault } from '../targets/blank-remote.ts';
export type { Capability, ExecResult } from '../targets/target.ts';
export type {
  BenchOptions,
  BlankNode,
  ClusterBmc,
  ClusterNode,
  CommandOptions,
  ScenarioBench,
  ScenarioCluster,
  ScenarioService,
  ScenarioStack,
  ScenarioTarget,
} from './fixtures.ts';
export { afterAll, afterEach } from './hooks.ts';

declare module 'vitest' {
  interface TaskMeta {
    /** The test's measurements, in order. */
    measurements?: Measurement[];
  }
}

/** The cell's machines by their names, the first one first; for all tests of a file. */
const connection = base
  .extend('machines', { scope: 'file' }, async () => {
    const { nodes: given, cell, suite } = inject('harness');
    const nodes = suite.isolate === 'none' ? given : await askForNodes(suite.isolate === 'file' ? 'restore' : 'look');
    const machines = new Map<string, Target>();
    for (const { name, handle } of nodes) {
      const machine = await reconnect(handle);
      if (!machine) throw new InfraError(`cannot use the target of ${cell}: ${name} is gone`);
      machines.set(name, recorded(machine, nodes.length > 1 ? name : undefined));
    }
    return machines;
  })
  .extend('machine', { scope: 'file' }, async ({ machines }) => [...machines.values()][0]!);

/**
 * Machines of the harness: the cell's as they are now (`look`), reset to their state after deployment (`restore`), or
 * the one whose clock counts instructions (`count`), which is started on first use.
 */
async function askForNodes(what: 'look' | 'restore' | 'count'): Promise<readonly ContextNode[]> {
  const { controlSocket } = inject('harness');
  return (await request(controlSocket, { do: what })) as readonly ContextNode[];
}

async function countingMachine(): Promise<Target> {
  const [node] = await askForNodes('count');
  const machine = node && (await reconnect(node.handle));
  if (!machine) throw new InfraError('cannot reach the machine that counts instructions: it is gone');
  return machine;
}

/**
 * vitest's `test` with fixtures: `target` (the machine), `stack` (what was deployed on it), `cluster` (the machines of a
 * suite with `nodes`, of which `target` is the first, and their network), `measure` (benchmarks),
 * `scale` (how many times slower than this host the target is).
 */
export const test = connection
  .extend('fresh', { auto: true }, async ({ task }) => {
    if (inject('harness').suite.isolate !== 'test') return;
    await askForNodes('restore');
    noteFresh(task.id);
  })
  .extend('target', async ({ machine }) => scenarioTarget(machine, inject('harness')))
  .extend('cluster', async ({ machines }) => scenarioCluster(machines, inject('harness')))
  .extend('stack', async ({ machine }) => scenarioStack(machine, inject('harness')))
  .extend('scale', async () => inject('harness').scale)
  // Not `bench`: vitest's context has its own, which cannot be replaced.
  .extend('measure', async ({ machine, task }) =>
    scenarioBench(
      machine,
      inject('harness'),
      task.name,
      (measurement) => {
        task.meta.measurements = [...(task.meta.measurements ?? []), measurement];
      },
      countingMachine,
    ),
  );

/** Tries until `attempt` no longer throws. `seconds` are native ones, multiplied by the target's slowness. */
export function eventually<T>(attempt: () => T | Promise<T>, options: { readonly seconds: number }): Promise<T> {
  return eventuallyWith(attempt, options.seconds, inject('harness').scale);
}

/**
 * Milliseconds on this host for a timeout of a client or of a program in the guest: native seconds, multiplied by the
 * target's slowness.
 */
export function deadlineMs(seconds: number): number {
  return scaledMs(seconds, inject('harness').scale);
}
