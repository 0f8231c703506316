import { didYouMean, expectedOneOf } from '../../base/nearest.ts';
import { quote } from '../../base/quote.ts';
import type { SuiteConfig } from '../../config/schema/suite.ts';
import type { Problem } from '../../yaml/yaml-source.ts';
import type { Deployer, Deployment, StackNode } from '../deployer.ts';
import { engineBlame } from '../engine.ts';
import { fillRegistry, pullImages } from './fill.ts';
import { loadImages } from './load.ts';
import { REGISTRY, registryFiles } from './registry.ts';

/** Puts container images into the engine of every machine: from its disk, or from the registry of a cluster. */
export const images: Deployer = {
  name: 'images',
  uses: ({ stack }) => stack.images.length > 0 || stack.registry !== undefined,
  needs: ['docker'],
  problems: async (suite) => registryProblems(suite),
  disk: ({ stack: { registry } }) =>
    registry === undefined
      ? { packages: [], files: {} }
      : { packages: [REGISTRY.package], files: registryFiles(registry) },
  ports: ({ stack: { registry } }) => (registry === undefined ? [] : [REGISTRY.port]),
  up: (deployment) => {
    const registry = deployment.nodes.find(({ name }) => name === deployment.suite.stack.registry);
    return registry
      ? fromRegistry(registry, deployment)
      : (node) => loadImages(node, deployment.suite, deployment.options);
  },
  blame: engineBlame,
};

/** One machine fills the registry, and all of them pull from it once that is done. */
function fromRegistry(registry: StackNode, { nodes, suite, options }: Deployment): (node: StackNode) => Promise<void> {
  const { promise: pushed, resolve, reject } = Promise.withResolvers<void>();
  pushed.catch(() => {});
  options.signal.addEventListener('abort', () => reject(options.signal.reason), { once: true });
  return async (node) => {
    if (node === registry) resolve(fillRegistry(registry, nodes, options));
    await pushed;
    await pullImages(node, registry.name, suite, options);
  };
}

function registryProblems({ nodes, stack: { registry, files } }: SuiteConfig): Problem[] {
  const path: Problem['path'] = ['stack', 'registry'];
  if (registry === undefined) return [];
  const names = Object.keys(nodes);
  if (names.length === 0) return [{ path, text: 'stack.registry is for clusters: the suite names no nodes' }];
  const problems: Problem[] = names.includes(registry)
    ? []
    : [{ path, text: `unknown node ${quote(registry)}, ${expectedOneOf(names)}${didYouMean(registry, names)}` }];
  const written = Object.keys(registryFiles(registry));
  for (const [index, file] of files.entries())
    if (written.includes(file.path))
      problems.push({
        path: ['stack', 'files', index, 'path'],
        text: `${quote(file.path)} is written by stack.registry, expected another file`,
      });
  return problems;
}
