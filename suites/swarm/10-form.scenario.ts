import { eventually, expect, test } from 'multiarch-harness';
import { engineOf, join, nodeList, type SwarmNode } from './swarm.ts';

interface Network {
  readonly Name: string;
  readonly Driver: string;
  readonly Scope: string;
  readonly IPAM: { readonly Config: readonly { readonly Subnet: string }[] };
  readonly Containers: Record<string, { readonly Name: string }>;
}

test('a machine with two addresses has to be told which one to advertise', async ({ cluster }) => {
  const [n1] = cluster.nodes;
  const refused = await n1!.exec(['docker', 'swarm', 'init']);
  expect(refused.exitCode).not.toBe(0);
  expect(refused.stderr).toContain('could not choose an IP address to advertise');
  expect(refused.stderr).toContain('10.0.2.15 on eth0');
  expect(refused.stderr).toContain(`${n1!.address} on eth1`);

  const made = await n1!.sh(`docker swarm init --advertise-addr ${n1!.address}`);
  expect(made).toContain('is now a manager');
  expect(await nodeList(engineOf(n1!))).toEqual(['n1 ready active leader']);
});

test('a wrong token is refused; with the right one workers join, each with its own architecture', async ({
  cluster,
}) => {
  const [n1, n2, n3] = cluster.nodes;
  const manager = engineOf(n1!);
  await expect(join(manager, n1!, n2!, 'SWMTKN-1-nonsense-nonsense')).rejects.toThrow('invalid join token');
  await Promise.all([join(manager, n1!, n2!), join(manager, n1!, n3!)]);
  await eventually(
    async () =>
      expect(await nodeList(manager)).toEqual([
        'n1 ready active leader',
        'n2 ready active worker',
        'n3 ready active worker',
      ]),
    { seconds: 3 },
  );
  const nodes = await manager.get<SwarmNode[]>('/nodes');
  const archs = nodes.map(({ Description }) => [Description.Hostname, Description.Platform.Architecture]);
  expect(Object.fromEntries(archs)).toEqual(
    Object.fromEntries(cluster.nodes.map(({ node, arch }) => [node, arch.machine])),
  );
});

test('every machine has the networks of a swarm', async ({ cluster }) => {
  for (const node of cluster.nodes) {
    await eventually(
      async () => {
        const engine = engineOf(node);
        const ingress = await engine.get<Network>('/networks/ingress');
        expect(ingress).toMatchObject({ Driver: 'overlay', Scope: 'swarm' });
        expect(ingress.IPAM.Config[0]?.Subnet).toBe('10.0.0.0/24');
        const bridge = await engine.get<Network>('/networks/docker_gwbridge');
        expect(bridge).toMatchObject({ Driver: 'bridge', Scope: 'local' });
        for (const network of [ingress, bridge]) expect(Object.keys(network.Containers)).toContain('ingress-sbox');
      },
      { seconds: 3 },
    );
  }
});
