import { eventually, expect, test } from 'multiarch-harness';
import {
  converged,
  engineOf,
  formSwarm,
  nodeList,
  page,
  placesOf,
  type Service,
  scaleTo,
  webService,
} from './swarm.ts';

const NODES = ['n1', 'n2', 'n3'];

test('from one replica to six', async ({ cluster, measure }) => {
  const manager = await formSwarm(cluster);
  await manager.post('/services/create', webService('my-web', 1));
  await converged(manager, 'my-web', 1, 10);
  await measure.onController(
    async () => {
      await scaleTo(manager, 'my-web', 6);
      await converged(manager, 'my-web', 6, 15);
    },
    { samples: 1, warmup: 0 },
  );
  await scaleTo(manager, 'my-web', 3);
  expect(await converged(manager, 'my-web', 3, 10)).toHaveLength(3);
});

for (const name of NODES) {
  test(`pages through the mesh, asked of ${name}`, async ({ cluster, measure }) => {
    expect((await engineOf(cluster.node('n1')).get<unknown[]>('/services')).length).toBe(1);
    await measure.onController(
      async () => {
        for (let index = 0; index < 10; index++) await page(cluster.node(name));
      },
      { samples: 5, operations: 10, per: 'page' },
    );
  });
}

for (const name of NODES) {
  test(`pages through the mesh, served by ${name}`, async ({ cluster, measure }) => {
    const n1 = cluster.node('n1');
    const manager = engineOf(n1);
    const { ID, Version } = await manager.get<Service>('/services/my-web');
    const placed = { task: { Placement: { Constraints: [`node.hostname==${name}`] } } };
    await manager.post(`/services/${ID}/update?version=${Version.Index}`, webService('my-web', 1, placed));
    const [task] = await eventually(
      async () => {
        const tasks = await converged(manager, 'my-web', 1, 10);
        expect(await placesOf(manager, tasks)).toEqual([name]);
        return tasks;
      },
      { seconds: 10 },
    );
    // A container's name is the beginning of its id.
    const host = task!.Status.ContainerStatus!.ContainerID.slice(0, 12);
    // The mesh knows of a task later than its manager does.
    await eventually(
      async () => {
        for (let index = 0; index < 5; index++) expect((await page(n1)).host).toBe(host);
      },
      { seconds: 5 },
    );
    await measure.onController(
      async () => {
        for (let index = 0; index < 10; index++) expect((await page(n1)).host).toBe(host);
      },
      {
        name: `pages through the mesh, served by ${name} (${cluster.node(name).arch.machine})`,
        samples: 5,
        operations: 10,
        per: 'page',
      },
    );
  });
}

test('from the loss of a machine to its tasks running elsewhere', async ({ cluster, measure }) => {
  const manager = engineOf(cluster.node('n1'));
  const lost = cluster.node('n3');
  const { ID, Version } = await manager.get<Service>('/services/my-web');
  const workers = { task: { Placement: { Constraints: ['node.role==worker'] } } };
  await manager.post(`/services/${ID}/update?version=${Version.Index}`, webService('my-web', 2, workers));
  const places = async () => placesOf(manager, await converged(manager, 'my-web', 2, 10));
  await eventually(async () => expect(await places()).toEqual(['n2', 'n3']), { seconds: 10 });
  await measure.onController(
    async () => {
      await lost.powerOff();
      await eventually(async () => expect(await places()).toEqual(['n2', 'n2']), { seconds: 20 });
    },
    { samples: 1, warmup: 0 },
  );
  await lost.powerOn();
  await eventually(async () => expect(await nodeList(manager)).toContain('n3 ready active worker'), { seconds: 20 });
});
