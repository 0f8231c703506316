import { fileURLToPath } from 'node:url';
import { eventually, expect, type ScenarioStack, test } from 'multiarch-harness';
import { type Container, type Engine, engineOf } from './engine.ts';

/** The label of everything that Compose makes for the suite. */
const PROJECT = 'com.docker.compose.project=docker';

const UPGRADE = fileURLToPath(new URL('blog/upgrade.yaml', import.meta.url));

/** The engine's query for what has all of these labels. */
const labelled = (...labels: string[]) => `filters=${encodeURIComponent(JSON.stringify({ label: labels }))}`;

/** The containers of a service, in the order of their names. */
async function containersOf(engine: Engine, service: string): Promise<Container[]> {
  const query = labelled(PROJECT, `com.docker.compose.service=${service}`);
  const listed = await engine.get<{ Id: string }[]>(`/containers/json?all=true&${query}`);
  const containers = await Promise.all(listed.map(({ Id }) => engine.container(Id)));
  return containers.sort((a, b) => (a.Name < b.Name ? -1 : 1));
}

async function page(stack: ScenarioStack): Promise<{ posts: string[]; by: string; version: string }> {
  const response = await fetch(stack.url('blog'));
  const text = await response.text();
  if (!response.ok) throw new Error(`the blog answered ${response.status}: ${text}`);
  const header = (name: string) => response.headers.get(name) ?? '';
  return { posts: text.split('\n').slice(0, -1), by: header('x-served-by'), version: header('x-version') };
}

async function write(stack: ScenarioStack, title: string): Promise<void> {
  const response = await fetch(stack.url('blog'), { method: 'POST', body: title });
  expect(response.status, await response.text()).toBe(201);
}

test('the database was there before the application, and that before the web server', async ({ target, stack }) => {
  const engine = engineOf(target);
  const [db] = await containersOf(engine, 'db');
  const [app] = await containersOf(engine, 'app');
  const [web] = await containersOf(engine, 'web');
  const started = [db, app, web].map((container) => container!.State.StartedAt);
  expect(started).toEqual(started.toSorted());
  expect([db, web].map((container) => container!.State.Health?.Status)).toEqual(['healthy', 'healthy']);
  expect(await page(stack)).toMatchObject({ by: app!.Id.slice(0, 12), version: '1' });
});

test('posts outlive all containers', async ({ target, stack }) => {
  const engine = engineOf(target);
  await write(stack, 'Größe & <b>Gewicht</b>');
  const before = await page(stack);
  expect(before.posts[0]).toBe('1 Größe & <b>Gewicht</b>');
  const [old] = await containersOf(engine, 'db');
  await stack.compose(['down']);
  await expect(engine.container(old!.Id)).rejects.toThrow('No such container');
  await expect(fetch(stack.url('blog'))).rejects.toThrow();
  await stack.compose(['up', '--detach', '--no-build']);
  const after = await eventually(() => page(stack), { seconds: 10 });
  expect(after.posts).toEqual(before.posts);
  expect(after.by).not.toBe(before.by);
});

test('two instances of the application share the requests', async ({ target, stack }) => {
  const engine = engineOf(target);
  await stack.compose(['up', '--detach', '--no-build', '--no-recreate', '--scale', 'app=2']);
  const instances = await containersOf(engine, 'app');
  expect(instances).toHaveLength(2);
  const served = new Set<string>();
  await eventually(
    async () => {
      served.add((await page(stack)).by);
      expect([...served].sort()).toEqual(instances.map(({ Id }) => Id.slice(0, 12)).sort());
    },
    { seconds: 10 },
  );
});

test('one service is upgraded, and the others do not notice', async ({ target, stack }) => {
  const engine = engineOf(target);
  await target.write('/tmp/app/Dockerfile', 'FROM app:1\nCOPY version /srv/app/version\n');
  await target.write('/tmp/app/version', '2\n');
  await target.sh('docker build --quiet --tag app:2 /tmp/app && rm -r /tmp/app');
  const others = async () =>
    (await Promise.all(['db', 'web'].map((name) => containersOf(engine, name)))).flat().map(({ Id }) => Id);
  const before = await others();
  // Compose 1 cannot replace a container of an engine of 25 or newer.
  await stack.compose(['rm', '--stop', '--force', 'app']);
  await stack.compose(['--file', UPGRADE, 'up', '--detach', '--no-build', '--no-deps', 'app']);
  const upgraded = await containersOf(engine, 'app');
  expect(upgraded).toHaveLength(1);
  await eventually(async () => expect(await page(stack)).toMatchObject({ version: '2' }), { seconds: 10 });
  expect((await page(stack)).posts).toEqual(['1 Größe & <b>Gewicht</b>']);
  expect(await others()).toEqual(before);
});

test('of what is taken down with its volumes nothing is left', async ({ target, stack }) => {
  const engine = engineOf(target);
  await stack.compose(['down', '--volumes']);
  for (const service of ['db', 'app', 'web']) expect(await containersOf(engine, service)).toEqual([]);
  expect(await engine.get(`/networks?${labelled(PROJECT)}`)).toEqual([]);
  const { Volumes } = await engine.get<{ Volumes: unknown[] | null }>(`/volumes?${labelled(PROJECT)}`);
  expect(Volumes ?? []).toEqual([]);
  await engine.remove('/images/app:2');
});
