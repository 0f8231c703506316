import { architectures } from '../../arch/index.ts';
import { retryUntil, scaledMs } from '../../base/time.ts';
import type { Suite } from '../../config/suite.ts';
import type { DeployOptions, StackNode } from '../deployer.ts';
import { runCommand } from '../run-command.ts';
import { awaitServices } from '../services.ts';
import { pushImage } from './push.ts';
import { REGISTRY, registryTag } from './registry.ts';

/** Awaits the registry, and pushes the images for all machines. */
export async function fillRegistry(
  registry: StackNode,
  nodes: readonly StackNode[],
  options: DeployOptions,
): Promise<void> {
  const { target } = registry;
  const deadlineMs = scaledMs(START_SECONDS, options.scale);
  options.progress(`waiting for the registry on ${registry.name}`);
  await awaitServices(target, [REGISTRY.unit], deadlineMs, options.signal);
  const endpoint = await target.forward(REGISTRY.port);
  await retryUntil(() => fetch(`http://${endpoint.host}:${endpoint.port}/v2/`), { deadlineMs, signal: options.signal });
  const owners = new Map(nodes.map((node) => [node.target.facts.arch, node]));
  const tags = new Set(nodes.flatMap(({ containers }) => containers.map(({ tag }) => tag)));
  for (const tag of tags) {
    options.progress(`pushing ${tag} for ${[...owners.keys()].join(', ')}`);
    // An image may be for some of the architectures only.
    const images = [...owners].flatMap(([arch, node]) =>
      node.containers
        .filter((container) => container.tag === tag)
        .map(({ archive }) => ({ architecture: architectures[arch].docker.split('/')[1]!, archive })),
    );
    await pushImage(endpoint, tag, images, options.signal);
  }
}

/** Native seconds for the registry to start and to answer. */
const START_SECONDS = 20;

/** Pulls a machine's images for its own architecture, and tags them without the registry too. */
export async function pullImages(
  node: StackNode,
  registry: string,
  suite: Suite,
  options: DeployOptions,
): Promise<void> {
  for (const { tag } of node.containers) {
    const full = registryTag(registry, tag);
    await runCommand(node.target, ['docker', 'pull', '--quiet', full], suite, options);
    await runCommand(node.target, ['docker', 'tag', full, tag], suite, options);
  }
}
