import { eventually, expect, test } from 'multiarch-harness';
import { converged, engineOf, page, running, type Service, webService } from './swarm.ts';

test('of a removed service nothing is left, and its port is closed everywhere', async ({ cluster }) => {
  const n1 = cluster.node('n1');
  const manager = engineOf(n1);
  // One that is still there from a file before, which a user may have left out.
  await manager.remove('/services/my-web').catch(() => {});
  await eventually(async () => expect(await running(manager, 'my-web').catch(() => [])).toEqual([]), { seconds: 3 });
  await manager.post('/services/create', webService('my-web', 3));
  await converged(manager, 'my-web', 3, 10);
  for (const node of cluster.nodes) await eventually(() => page(node), { seconds: 3 });
  expect(await n1.sh('docker service rm my-web')).toBe('my-web');
  expect(await manager.get<Service[]>('/services')).toEqual([]);
  for (const node of cluster.nodes) {
    await eventually(
      async () => {
        await expect(page(node)).rejects.toThrow();
        expect(await node.sh('docker ps --quiet')).toBe('');
      },
      { seconds: 5 },
    );
  }
});

test('workers leave when they are told to, the last manager only by force', async ({ cluster }) => {
  const [n1, n2, n3] = cluster.nodes;
  for (const node of [n2!, n3!]) expect(await node.sh('docker swarm leave')).toBe('Node left the swarm.');
  const refused = await n1!.exec(['docker', 'swarm', 'leave']);
  expect(refused.exitCode).not.toBe(0);
  expect(refused.stderr).toMatch(/last manager|only manager/);
  expect(await n1!.sh('docker swarm leave --force')).toBe('Node left the swarm.');
  await expect(engineOf(n1!).get('/nodes')).rejects.toThrow('This node is not a swarm manager');
});
