import { eventually, expect, test } from 'multiarch-harness';
import {
  converged,
  engineOf,
  nodeList,
  page,
  placesOf,
  type Service,
  type SwarmNode,
  scaleTo,
  type Task,
} from './swarm.ts';

test('a web service with two replicas, published on 8080, converges', async ({ cluster }) => {
  const n1 = cluster.node('n1');
  const manager = engineOf(n1);
  await n1.sh(
    'docker service create --detach --no-resolve-image --name my-web --replicas 2 --stop-grace-period 2s --publish published=8080,target=80 my-web:1',
  );
  const tasks = await converged(manager, 'my-web', 2);
  expect(await n1.sh("docker service ls --format '{{.Name}} {{.Mode}} {{.Replicas}} {{.Image}} {{.Ports}}'")).toBe(
    'my-web replicated 2/2 my-web:1 *:8080->80/tcp',
  );
  const places = await placesOf(manager, tasks);
  expect(new Set(places).size).toBe(2);
  const listed = await n1.sh("docker service ps my-web --format '{{.Node}} {{.DesiredState}}'");
  expect(listed.split('\n').sort()).toEqual(places.map((place) => `${place} Running`));
  const { Spec } = await manager.get<Service>('/services/my-web?insertDefaults=true');
  expect(Spec).toMatchObject({
    Mode: { Replicated: { Replicas: 2 } },
    UpdateConfig: { Parallelism: 1, FailureAction: 'pause' },
    EndpointSpec: { Ports: [{ PublishedPort: 8080, TargetPort: 80, Protocol: 'tcp' }] },
  });
});

test('port 8080 answers on every machine, also on the one without a replica', async ({ cluster }) => {
  const hosts = new Set<string>();
  for (const node of cluster.nodes) {
    // A task counts as running before its server listens.
    hosts.add((await eventually(() => page(node), { seconds: 2 })).host);
    for (let index = 0; index < 4; index++) hosts.add((await page(node)).host);
  }
  expect(hosts.size).toBe(2);
});

test('scaled to four, every architecture serves', async ({ cluster }) => {
  const manager = engineOf(cluster.node('n1'));
  await scaleTo(manager, 'my-web', 4);
  const tasks = await converged(manager, 'my-web', 4);
  expect(new Set(await placesOf(manager, tasks)).size).toBe(3);
  const machines = new Set<string>();
  for (let index = 0; index < 12; index++) machines.add((await page(cluster.node('n2'))).machine);
  expect(machines).toEqual(new Set(cluster.nodes.map(({ arch }) => arch.machine)));
});

test('the mesh spreads requests over all replicas', async ({ cluster }) => {
  const served = new Map<string, number>();
  for (let index = 0; index < 200; index++) {
    const { host } = await page(cluster.node('n3'));
    served.set(host, (served.get(host) ?? 0) + 1);
  }
  expect(served.size).toBe(4);
  // Half of a fair share of 200 over 4.
  for (const [host, count] of served) expect(count, `requests that ${host} served`).toBeGreaterThanOrEqual(25);
});

test('a drained manager gives its tasks away, and takes new ones when it is active again', async ({ cluster }) => {
  const n1 = cluster.node('n1');
  const manager = engineOf(n1);
  await n1.sh('docker node update --availability drain n1');
  expect(await nodeList(manager)).toContain('n1 ready drain leader');
  const moved = await converged(manager, 'my-web', 4);
  expect(await placesOf(manager, moved)).not.toContain('n1');
  const self = (await manager.get<SwarmNode[]>('/nodes')).find(({ Description }) => Description.Hostname === 'n1');
  const filters = encodeURIComponent(JSON.stringify({ service: ['my-web'], node: [self!.ID] }));
  const old = await manager.get<Task[]>(`/tasks?filters=${filters}`);
  expect(old.length).toBeGreaterThan(0);
  expect(old.every(({ DesiredState }) => DesiredState === 'shutdown')).toBe(true);
  expect((await page(n1)).version).toBe('1');

  await n1.sh('docker node update --availability active n1');
  await scaleTo(manager, 'my-web', 6);
  expect(await placesOf(manager, await converged(manager, 'my-web', 6))).toContain('n1');
  await scaleTo(manager, 'my-web', 3);
  await converged(manager, 'my-web', 3);
});
