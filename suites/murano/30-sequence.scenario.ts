// Murano's troubleshooting sequence, in its order: each test goes on from the one before it.
import { eventually, expect } from 'multiarch-harness';
import { ADMIN } from '../_openstack/identity.ts';
import { bytesOf, type Environment, FIGURES, test } from './murano.ts';

/** A traceback, or a line of oslo.log at the level ERROR or CRITICAL. */
const TROUBLE = /^Traceback|^\d{4}-\d\d-\d\d \S+ \d+ (?:ERROR|CRITICAL) .*/m;

const SECRET = {
  '?': { type: 'org.example.Secret', id: 'c0ffee00000000000000000000000001' },
  name: 'shop',
  length: 12,
};

let lost = '';
let shop = '';

test('the API, started by hand with its log beside it, lets in whoever has a token', async ({ programs, murano }) => {
  await programs.apiUp();
  expect((await murano.ask('GET', '/environments')).status).toBe(401);
  expect((await murano.ask('GET', '/environments', { token: 'nonsense' })).status).toBe(401);
  expect(await murano.do('GET', '/environments')).toEqual({ environments: [] });
  await eventually(async () => expect(await programs.api.log()).toMatch(/"GET \/v1\/environments HTTP\/1\.1" 200 /), {
    seconds: 5,
  });
});

test('the core library and an application are put into the catalogue', async ({ murano, target }) => {
  const core = await murano.upload('io.murano', await bytesOf(target, '/usr/share/murano-common/io.murano.zip'));
  expect([core.status, core.body]).toMatchObject([200, { fully_qualified_name: 'io.murano', type: 'Library' }]);
  await target.sh('cd /srv/packages/secret && python3 -m zipfile -c /srv/packages/secret.zip manifest.yaml Classes');
  const secret = await murano.upload('secret', await bytesOf(target, '/srv/packages/secret.zip'));
  expect([secret.status, secret.body]).toMatchObject([
    200,
    { fully_qualified_name: 'org.example.Secret', is_public: true },
  ]);
  // A package of a name that is taken is refused.
  expect((await murano.upload('secret', await bytesOf(target, '/srv/packages/secret.zip'))).status).toBe(409);
});

test('what is sent before any engine ran is lost: there is no queue yet', async ({ murano, broker }) => {
  expect(await broker.queue('tasks')).toBeUndefined();
  lost = await murano.send('lost');
  expect(await murano.status(lost)).toBe('deploying');
  expect(await broker.queue('tasks')).toBeUndefined();
});

test('an engine that ran once leaves the queue behind, which is empty', async ({ programs, broker, murano }) => {
  await programs.engineUp(programs.engine, 1);
  await programs.engine.stop();
  await eventually(async () => expect(await broker.queue('tasks')).toMatchObject({ consumers: 0 }), FIGURES);
  expect(await broker.queue('tasks')).toMatchObject({ messages: 0, durable: false });
  expect(await murano.status(lost)).toBe('deploying');
});

test('without an engine an environment waits in the queue, as one message', async ({ murano, broker, programs }) => {
  const before = (await programs.api.log()).length;
  shop = await murano.send('shop', [SECRET]);
  await eventually(
    async () => expect(await broker.queue('tasks')).toMatchObject({ messages: 1, consumers: 0 }),
    FIGURES,
  );
  expect(await murano.status(shop)).toBe('deploying');
  expect((await murano.deployments(shop)).map(({ state }) => state)).toEqual(['running']);
  expect((await programs.api.log()).slice(before)).not.toMatch(TROUBLE);
  // No second session while it is so.
  await expect(murano.do('POST', `/environments/${shop}/configure`)).rejects.toThrow(': 403 ');
});

test('an engine, started by hand, drains the queue and reports what it did', async ({ programs, broker, murano }) => {
  await programs.engineUp(programs.engine, 1);
  expect(await murano.settled(shop)).toBe('ready');
  await eventually(
    async () => expect(await broker.queue('tasks')).toMatchObject({ messages: 0, consumers: 1 }),
    FIGURES,
  );
  const [deployment] = await murano.deployments(shop);
  expect(deployment).toMatchObject({ state: 'success', result: { isException: false } });
  const at = `/environments/${shop}/deployments/${deployment!.id}`;
  await eventually(
    async () => {
      const { reports } = await murano.do<{ reports: { text: string; level: string }[] }>('GET', at);
      expect(reports.map(({ level, text }) => `${level}: ${text}`).sort()).toEqual([
        'info: Action deploy is scheduled',
        'info: Asking Heat for a secret',
        'info: Deployment finished',
        'info: Heat made a secret',
      ]);
    },
    { seconds: 10 },
  );
  expect(await programs.engine.log()).not.toMatch(TROUBLE);
});

test('Heat has the stack, and the application what Heat made', async ({ identity, murano, stack }) => {
  const { token, body } = await identity.signIn(ADMIN);
  const heat = stack.url('heat', `/v1/${body.token.project!.id}/stacks`);
  const answer = await fetch(heat, { headers: { 'x-auth-token': token! } });
  const { stacks } = (await answer.json()) as { stacks: { stack_name: string; stack_status: string }[] };
  expect(stacks.map(({ stack_status }) => stack_status)).toEqual(['CREATE_COMPLETE']);
  expect(stacks[0]?.stack_name).toMatch(/^murano-/);
  const { services } = await murano.do<{ services: { name: string; secret: string }[] }>(
    'GET',
    `/environments/${shop}`,
  );
  expect(services).toEqual([expect.objectContaining({ name: 'shop', secret: expect.stringMatching(/^\w{12}$/) })]);
});

test('what is gone is 404: an environment, its deployments, its sessions', async ({ murano, identity }) => {
  const token = await identity.admin();
  expect((await murano.ask('DELETE', `/environments/${lost}?abandon=true`, { token })).status).toBe(200);
  for (const path of ['', '/deployments', '/lastStatus', '/sessions/0'])
    expect([path, (await murano.ask('GET', `/environments/${lost}${path}`, { token })).status]).toEqual([path, 404]);
  expect((await murano.ask('GET', `/environments/${shop}/sessions/0`, { token })).status).toBe(404);
  expect((await murano.ask('GET', `/environments/${shop}/deployments/0`, { token })).status).toBe(404);
  const { environments } = await murano.do<{ environments: Environment[] }>('GET', '/environments');
  expect(environments.map(({ name, status }) => [name, status])).toEqual([['shop', 'ready']]);
});

test('an environment is deleted with its stack', async ({ murano, identity, stack }) => {
  const { token, body } = await identity.signIn(ADMIN);
  expect((await murano.ask('DELETE', `/environments/${shop}`, { token: token! })).status).toBe(200);
  const look = () => murano.ask('GET', `/environments/${shop}`, { token: token! });
  await eventually(async () => expect((await look()).status).toBe(404), { seconds: 40 });
  const heat = stack.url('heat', `/v1/${body.token.project!.id}/stacks`);
  const answer = await fetch(heat, { headers: { 'x-auth-token': token! } });
  expect(await answer.json()).toEqual({ stacks: [] });
});
