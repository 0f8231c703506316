import { expect } from 'multiarch-harness';
import { follow } from '../_openstack/request.ts';
import { ADMIN, test } from './identity.ts';

test('a password gets a token of now, for its project and with its roles', async ({ identity, target }) => {
  const { status, token, body } = await identity.signIn(ADMIN);
  expect([status, typeof token]).toEqual([201, 'string']);
  expect(body.token).toMatchObject({ user: { name: 'admin' }, project: { name: 'admin' } });
  expect(body.token.roles?.map(({ name }) => name)).toEqual(expect.arrayContaining(['admin', 'member', 'reader']));
  // After a resume, too: the machine's clock is this host's.
  const now = 1000 * Number(await target.sh('date +%s'));
  expect(Math.abs(Date.parse(body.token.issued_at) - Date.now())).toBeLessThan(60_000);
  expect(Math.abs(now - Date.now())).toBeLessThan(60_000);
  expect(Date.parse(body.token.expires_at) - Date.parse(body.token.issued_at)).toBe(86_400_000);
});

test('a token is validated, and is good for nothing once it is revoked', async ({ identity }) => {
  const admin = await identity.admin();
  const { token } = await identity.signIn(ADMIN);
  const valid = await identity.validate(token!, admin);
  expect([valid.status, valid.body.token.user.name]).toEqual([200, 'admin']);
  expect((await identity.ask('GET', '/users', { token: token! })).status).toBe(200);

  const revoked = await identity.ask('DELETE', '/auth/tokens', { token: admin });
  // Without the token in question it is a mistake of the asker.
  expect(revoked.status).toBe(404);
  expect((await identity.revoke(token!, admin)).status).toBe(204);
  expect((await identity.validate(token!, admin)).status).toBe(404);
  expect((await identity.ask('GET', '/users', { token: token! })).status).toBe(401);
  expect((await identity.validate(admin, admin)).status).toBe(200);
});

test('a wrong password, an unknown user and a token that is none are refused alike', async ({ identity }) => {
  const wrong = await identity.signIn({ user: 'admin', password: 'wrong', project: 'admin' });
  expect([wrong.status, wrong.token]).toEqual([401, undefined]);
  const unknown = await identity.signIn({ user: 'nobody', password: 'admin', project: 'admin' });
  expect([unknown.status, unknown.token]).toEqual([401, undefined]);
  expect(unknown.body).toEqual(wrong.body);
  for (const token of [undefined, 'gAAAAAB-nonsense'])
    expect((await identity.ask('GET', '/users', token === undefined ? {} : { token })).status).toBe(401);
});

test('the catalogue says where services are, in a token and when asked', async ({ identity, target }) => {
  const { body } = await identity.signIn(ADMIN);
  const keystone = body.token.catalog?.find(({ type }) => type === 'identity');
  expect(keystone?.endpoints.map((one) => one.interface).sort()).toEqual(['admin', 'internal', 'public']);
  for (const { region, url } of keystone?.endpoints ?? [])
    expect([region, url]).toEqual(['RegionOne', 'http://127.0.0.1:5000/v3']);
  // Clients follow it from here, too, by the machine's proxy.
  expect(await follow(keystone!.endpoints[0]!.url, await target.proxy())).toBe(200);

  const admin = await identity.admin();
  const service = await identity.make<{ id: string }>('service', { type: 'weather', name: 'weather' }, admin);
  const where = {
    service_id: service.id,
    interface: 'public',
    url: 'http://weather/%(project_id)s',
    region: 'RegionOne',
  };
  await identity.make('endpoint', where, admin);
  const again = await identity.signIn(ADMIN);
  const weather = again.body.token.catalog?.find(({ type }) => type === 'weather');
  expect(weather?.endpoints.map(({ url }) => url)).toEqual([`http://weather/${again.body.token.project?.id}`]);

  expect((await identity.ask('DELETE', `/services/${service.id}`, { token: admin })).status).toBe(204);
  const left = await identity.ask<{ catalog: { type: string }[] }>('GET', '/auth/catalog', { token: admin });
  expect(left.body.catalog.map(({ type }) => type)).toEqual(['identity']);
});
