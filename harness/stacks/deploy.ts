import type { Suite } from '../config/suite.ts';
import type { DeployOptions, StackNode } from './deployer.ts';
import { deployersOf } from './deployers.ts';
import { awaitReady } from './ready.ts';

/**
 * Brings a stack up on all machines of a cell at once, which have its packages and files on their disks, and awaits its
 * readiness checks. The first failure ends it for all.
 * @throws StackError naming what did not come up and why.
 */
export async function deployStacks(nodes: readonly StackNode[], suite: Suite, options: DeployOptions): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const steps = deployersOf(suite).map((deployer) => deployer.up({ nodes, suite, options: { ...options, signal } }));
  const deploy = async (node: StackNode): Promise<void> => {
    for (const step of steps) await step(node);
    options.progress('waiting until it is ready');
    await awaitReady(node.target, suite, options.scale, signal);
  };
  await Promise.all(
    nodes.map((node) =>
      deploy(node).catch((error: unknown) => {
        // Do not wait for a machine that will not come up.
        failed.abort(error);
        throw error;
      }),
    ),
  );
}
