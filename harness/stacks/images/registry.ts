/** The registry of a cluster whose suite says `stack.registry`: Debian's docker-registry. */
export const REGISTRY = {
  package: 'docker-registry',
  unit: 'docker-registry.service',
  port: 5000,
  /** The engine's configuration, which has to name a registry without TLS. */
  engineFile: '/etc/docker/daemon.json',
} as const;

/** An image's name in the registry on a machine: `n1:5000/my-web:1`. */
export function registryTag(node: string, tag: string): string {
  return `${node}:${REGISTRY.port}/${tag}`;
}

/** Prepares every machine to run the registry; the one called `node` does, and all of them pull from it. */
export function registryFiles(node: string): Readonly<Record<string, string>> {
  return {
    // The package's own configuration requires a password: on the cluster's network there is nobody else.
    '/etc/docker/registry/config.yml': `version: 0.1
log: {level: warn}
storage: {filesystem: {rootdirectory: /var/lib/docker-registry}, delete: {enabled: true}}
http: {addr: ":${REGISTRY.port}"}
`,
    // Machines of one architecture have the same disk.
    [`/etc/systemd/system/${REGISTRY.unit}.d/node.conf`]: `[Unit]\nConditionHost=${node}\n`,
    [REGISTRY.engineFile]: `${JSON.stringify({ 'insecure-registries': [`${node}:${REGISTRY.port}`] })}\n`,
  };
}
