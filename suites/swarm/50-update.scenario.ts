import { eventually, expect, test } from 'multiarch-harness';
import { converged, engineOf, health, load, page, running, type Service, scaleTo, webService } from './swarm.ts';

test('no request fails while a service with health checks grows, shrinks and gets a new version', async ({
  cluster,
}) => {
  const [n1, , n3] = cluster.nodes;
  const manager = engineOf(n1!);
  await manager.remove('/services/my-web');
  await eventually(async () => expect(await running(manager, 'my-web').catch(() => [])).toEqual([]), { seconds: 3 });
  const updates = { Parallelism: 1, Delay: 2e9, FailureAction: 'pause', Order: 'start-first', Monitor: 5e9 };
  const service = { container: { Healthcheck: health() }, UpdateConfig: updates, RollbackConfig: updates };
  await manager.post('/services/create', webService('my-web', 2, service));
  await converged(manager, 'my-web', 2, 10);
  await eventually(() => page(n3!), { seconds: 2 });

  const asking = load(n3!);
  for (const replicas of [4, 2]) {
    await asking.more(3);
    await scaleTo(manager, 'my-web', replicas);
    await converged(manager, 'my-web', replicas, 10);
  }
  await asking.more(3);
  const before = await manager.get<Service>('/services/my-web');
  await n1!.sh('docker service update --detach --no-resolve-image --image my-web:2 my-web');
  await eventually(
    async () => {
      const tasks = await running(manager, 'my-web');
      expect(tasks.map(({ Spec }) => Spec.ContainerSpec.Image)).toEqual(['my-web:2', 'my-web:2']);
    },
    { seconds: 12 },
  );
  await eventually(
    async () => expect((await manager.get<Service>('/services/my-web')).UpdateStatus?.State).toBe('completed'),
    { seconds: 5 },
  );
  await asking.more(3);
  const { pages, failures } = await asking.stop();
  expect(failures).toEqual([]);
  // One after the other, with the delay between them: as the manager says, which a busy host makes no earlier.
  const [first, second] = (await running(manager, 'my-web'))
    .map(({ CreatedAt }) => Date.parse(CreatedAt))
    .toSorted((a, b) => a - b);
  expect(second! - first!).toBeGreaterThan(updates.Delay / 1e6);
  // Both versions were served, and only the new one at the end.
  expect(new Set(pages.map(({ version }) => version))).toEqual(new Set(['1', '2']));
  expect(pages.at(-1)?.version).toBe('2');
  expect((await manager.get<Service>('/services/my-web')).Version.Index).toBeGreaterThan(before.Version.Index);
});

test('a broken version stops the update, and a rollback brings the old one back', async ({ cluster }) => {
  const n1 = cluster.node('n1');
  const manager = engineOf(n1);
  await n1.sh('docker service update --detach --no-resolve-image --no-healthcheck --image my-web:nowhere my-web');
  await eventually(
    async () => expect((await manager.get<Service>('/services/my-web')).UpdateStatus?.State).toBe('paused'),
    { seconds: 10 },
  );
  // What ran goes on: a new task is started before an old one ends.
  expect((await page(n1)).version).toBe('2');
  await n1.sh('docker service rollback --detach my-web');
  await eventually(
    async () => expect((await manager.get<Service>('/services/my-web')).UpdateStatus?.State).toBe('rollback_completed'),
    { seconds: 10 },
  );
  const tasks = await converged(manager, 'my-web', 2, 10);
  expect(tasks.map(({ Spec }) => Spec.ContainerSpec.Image)).toEqual(['my-web:2', 'my-web:2']);
});
