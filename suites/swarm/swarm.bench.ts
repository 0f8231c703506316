import { expect, test } from 'multiarch-harness';
import { converged, engineOf, formSwarm, page, scaleTo, webService } from './swarm.ts';

test('from one replica to six and back', async ({ cluster, measure }) => {
  const manager = await formSwarm(cluster);
  await manager.post('/services/create', webService('my-web', 1));
  await converged(manager, 'my-web', 1, 10);
  await measure.onController(
    async () => {
      for (const replicas of [6, 1]) {
        await scaleTo(manager, 'my-web', replicas);
        await converged(manager, 'my-web', replicas, 15);
      }
    },
    { samples: 2, warmup: 0 },
  );
  await scaleTo(manager, 'my-web', 3);
  expect(await converged(manager, 'my-web', 3, 10)).toHaveLength(3);
});

for (const name of ['n1', 'n2', 'n3']) {
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
