import { readFile } from 'node:fs/promises';
import { architectures } from '../arch/index.ts';
import { StackError } from '../base/errors.ts';
import { lastLines } from '../base/text.ts';
import { retryUntil, scaledMs } from '../base/time.ts';
import { REGISTRY, registryTag } from '../config/registry.ts';
import type { Suite } from '../config/suite.ts';
import { containerPath, type Image } from '../images/build.ts';
import { imageIdOf } from '../images/container.ts';
import type { Target } from '../targets/target.ts';
import { deployCompose } from './compose/compose.ts';
import { configurePackages } from './packages/configure.ts';
import { argvOf, awaitReady } from './ready.ts';
import { pushImage } from './registry.ts';

export interface DeployOptions {
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

/**
 * Brings a stack up on all machines of a cell, each of which has its packages and files on its disk.
 * @throws StackError naming what did not come up and why.
 */
export async function deployStacks(nodes: readonly StackNode[], suite: Suite, options: DeployOptions): Promise<void> {
  const registry = nodes.find(({ name }) => name === suite.stack.registry);
  const { promise: pushed, resolve, reject } = Promise.withResolvers<void>();
  pushed.catch(() => {});
  const takeImages = async (node: StackNode): Promise<void> => {
    if (!registry) return loadImages(node, suite, options);
    if (node === registry) resolve(fillRegistry(registry, nodes, options));
    await pushed;
    await pullImages(node, registry.name, suite, options);
  };
  await Promise.all(
    nodes.map((node) =>
      deployStack(node, suite, options, () => takeImages(node)).catch((error: Error) => {
        // The others do not wait for a registry that never comes.
        reject(error);
        throw error;
      }),
    ),
  );
}

/**
 * Awaits a stack's services, gives it its container images, runs its commands in order, brings up its Compose file,
 * awaits its readiness checks.
 */
async function deployStack(
  { target, unconfigured }: StackNode,
  suite: Suite,
  options: DeployOptions,
  takeImages: () => Promise<void>,
): Promise<void> {
  const { stack, timeouts } = suite;
  await configurePackages(target, unconfigured, options);
  if (stack.services.length > 0) {
    options.progress(`waiting for ${stack.services.join(', ')}`);
    await awaitServices(target, stack.services, scaledMs(timeouts.boot, options.scale), options.signal);
  }
  if (stack.images.length > 0) await takeImages();
  for (const command of stack.commands) await runCommand(target, command, suite, options);
  if (suite.compose) {
    options.progress(`bringing up ${Object.keys(suite.compose.services).join(', ')}`);
    await deployCompose(target, suite, options);
  }
  options.progress('waiting until it is ready');
  await awaitReady(target, suite, options.scale, options.signal);
}

async function runCommand(
  target: Target,
  command: string | readonly string[],
  { timeouts }: Suite,
  { scale, signal, progress }: DeployOptions,
  given: { readonly shown?: string; readonly stdin?: Uint8Array } = {},
): Promise<void> {
  const argv = argvOf(command);
  const { shown = typeof command === 'string' ? command : argv.join(' '), stdin } = given;
  progress(shown.slice(0, 80));
  const deadlineMs = scaledMs(timeouts.command, scale);
  const result = await target.exec(argv, { deadlineMs, signal, ...(stdin ? { stdin } : {}) });
  if (result.exitCode !== 0) {
    throw new StackError(`cannot deploy the stack: \`${shown.slice(0, 200)}\` exited with ${result.exitCode}`, {
      cause: lastLines(`${result.stdout}\n${result.stderr}`, 15).join('\n'),
      consoleTail: await target.consoleTail(20),
    });
  }
}

async function loadImages(
  { target, containers, onImage }: StackNode,
  suite: Suite,
  options: DeployOptions,
): Promise<void> {
  const load = ['docker', 'load', '--quiet'];
  for (const [index, { tag, archive }] of containers.entries()) {
    if (onImage) await runCommand(target, [...load, '--input', containerPath(index)], suite, options);
    // A machine of somebody's has no room made for it on its disk, and may have it from a run before.
    else if (!(await hasImage(target, tag, await imageIdOf(archive), scaledMs(suite.timeouts.command, options.scale))))
      await runCommand(target, load, suite, options, { shown: `docker load # ${tag}`, stdin: await readFile(archive) });
  }
}

async function hasImage(target: Target, tag: string, id: string, deadlineMs: number): Promise<boolean> {
  const { stdout } = await target.exec(['docker', 'image', 'inspect', '--format', '{{.Id}}', tag], { deadlineMs });
  return stdout.trim() === id;
}

/** Awaits the registry, and pushes what every machine is to have. */
async function fillRegistry(registry: StackNode, nodes: readonly StackNode[], options: DeployOptions): Promise<void> {
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

/** Pulls a machine's images: it takes its own architecture's. They have the tag without the registry too. */
async function pullImages(node: StackNode, registry: string, suite: Suite, options: DeployOptions): Promise<void> {
  for (const { tag } of node.containers) {
    const full = registryTag(registry, tag);
    await runCommand(node.target, ['docker', 'pull', '--quiet', full], suite, options);
    await runCommand(node.target, ['docker', 'tag', full, tag], suite, options);
  }
}

/** `systemctl start` of a unit that is starting waits for it, and starts one that nothing pulled in. */
async function awaitServices(
  target: Target,
  services: readonly string[],
  deadlineMs: number,
  signal: AbortSignal,
): Promise<void> {
  const started = await target.exec(['systemctl', 'start', ...services], { deadlineMs, signal });
  if (started.exitCode === 0) return;
  const journal = await target.exec(
    ['journalctl', '--no-pager', '--lines=30', ...services.map((service) => `--unit=${service}`)],
    { deadlineMs, signal },
  );
  throw new StackError(`cannot start ${services.join(', ')}: ${lastLines(started.stderr, 1).join('')}`, {
    cause: lastLines(journal.stdout, 30).join('\n'),
    consoleTail: await target.consoleTail(20),
  });
}
