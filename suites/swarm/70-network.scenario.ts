import { type ClusterNode, eventually, expect, test } from 'multiarch-harness';
import {
  converged,
  type Engine,
  engineOf,
  join,
  placesOf,
  running,
  STOP_NS,
  type SwarmNode,
  webService,
} from './swarm.ts';

/** Brings machines that left back in, and forgets what they were. */
async function rejoin(manager: Engine, nodes: readonly ClusterNode[]): Promise<void> {
  const known = await manager.get<SwarmNode[]>('/nodes');
  for (const { ID, Description } of known)
    if (Description.Hostname !== 'n1') await manager.remove(`/nodes/${ID}?force=true`);
  await Promise.all(nodes.slice(1).map((node) => join(manager, nodes[0]!, node)));
  await eventually(
    async () => {
      const ready = (await manager.get<SwarmNode[]>('/nodes')).filter(({ Status }) => Status.State === 'ready');
      expect(ready).toHaveLength(3);
    },
    { seconds: 5 },
  );
}

test('on an overlay network containers of all machines reach each other by name, and others do not', async ({
  cluster,
}) => {
  const manager = engineOf(cluster.node('n1'));
  await rejoin(manager, cluster.nodes);
  await manager.remove('/services/my-web');
  const networks = [
    { name: 'plain', Options: {} },
    { name: 'secret', Options: { encrypted: '' } },
  ];
  for (const { name, Options } of networks) {
    const network = { Name: name, Driver: 'overlay', Attachable: true, Options };
    const { Id } = await manager.post<{ Id: string }>('/networks/create', network);
    const task = { Networks: [{ Target: Id }] };
    await manager.post('/services/create', webService(`${name}-web`, 3, { task }, 0));
  }
  for (const { name } of networks) {
    const tasks = await converged(manager, `${name}-web`, 3, 10);
    expect(await placesOf(manager, tasks)).toEqual(['n1', 'n2', 'n3']);
    // Each replica by its own address: all three machines, whichever asks.
    const ask = `for ip in $(/bin/busybox nslookup tasks.${name}-web 2>/dev/null | /bin/busybox awk '/^Address/ && !/127.0.0.11/ {print $NF}'); do /bin/busybox wget -q -O - http://$ip/cgi-bin/where; done`;
    await Promise.all(
      cluster.nodes.map(async (node) => {
        const own = await node.sh(`docker ps --quiet --filter name=${name}-web | head -1`);
        const heard = await eventually(
          async () => {
            const said = await node.sh(`docker exec ${own} /bin/busybox sh -c "${ask.replaceAll('$', '\\$')}"`);
            expect(said.split('\n')).toHaveLength(3);
            return said;
          },
          { seconds: 5 },
        );
        expect(new Set(heard.split('\n').map((line) => line.split(' ')[0]))).toEqual(
          new Set(cluster.nodes.map(({ arch }) => arch.machine)),
        );
      }),
    );
  }
  // From one network the other's names are none.
  const n1 = cluster.node('n1');
  const outside = await n1.sh('docker ps --quiet --filter name=plain-web | head -1');
  const refused = await n1.exec([
    'docker',
    'exec',
    outside,
    '/bin/busybox',
    'wget',
    '-q',
    '-O',
    '-',
    'http://secret-web/',
  ]);
  expect(refused.exitCode).not.toBe(0);
  for (const name of ['plain-web', 'secret-web']) await manager.remove(`/services/${name}`);
});

test('a job runs its completions over the swarm, and a global service once on each machine', async ({ cluster }) => {
  const manager = engineOf(cluster.node('n1'));
  await manager.post('/services/create', {
    Name: 'job',
    TaskTemplate: {
      ContainerSpec: { Image: 'my-web:1', Command: ['/bin/busybox', 'true'] },
      RestartPolicy: { Condition: 'none' },
    },
    Mode: { ReplicatedJob: { MaxConcurrent: 3, TotalCompletions: 6 } },
  });
  await manager.post('/services/create', {
    Name: 'everywhere',
    TaskTemplate: { ContainerSpec: { Image: 'my-web:1', StopGracePeriod: STOP_NS } },
    Mode: { Global: {} },
  });
  const filters = encodeURIComponent(JSON.stringify({ service: ['job'] }));
  await eventually(
    async () => {
      const tasks = await manager.get<{ Status: { State: string } }[]>(`/tasks?filters=${filters}`);
      expect(tasks.filter(({ Status }) => Status.State === 'complete')).toHaveLength(6);
    },
    { seconds: 10 },
  );
  expect(await placesOf(manager, await converged(manager, 'everywhere', 3, 10))).toEqual(['n1', 'n2', 'n3']);
  for (const name of ['job', 'everywhere']) await manager.remove(`/services/${name}`);
});

test('a constraint is kept, and one that nothing fits says so', async ({ cluster }) => {
  const [n1, , n3] = cluster.nodes;
  const manager = engineOf(n1!);
  const placed = (constraint: string) => ({ task: { Placement: { Constraints: [constraint] } } });
  await manager.post('/services/create', webService('picky', 2, placed(`node.platform.arch==${n3!.arch.machine}`), 0));
  const machines = new Map(cluster.nodes.map(({ node, arch }) => [node, arch.machine]));
  for (const place of await placesOf(manager, await converged(manager, 'picky', 2, 10)))
    expect(machines.get(place)).toBe(n3!.arch.machine);
  await manager.post('/services/create', webService('nowhere', 1, placed('node.platform.arch==s390x'), 0));
  const filters = encodeURIComponent(JSON.stringify({ service: ['nowhere'] }));
  await eventually(
    async () => {
      const tasks = await manager.get<{ Status: { State: string; Err?: string } }[]>(`/tasks?filters=${filters}`);
      expect(tasks[0]?.Status).toMatchObject({
        State: 'pending',
        Err: expect.stringContaining('no suitable node (scheduling constraints not satisfied on 3 nodes'),
      });
    },
    { seconds: 5 },
  );
  expect(await running(manager, 'nowhere')).toEqual([]);
  for (const name of ['picky', 'nowhere']) await manager.remove(`/services/${name}`);
});
