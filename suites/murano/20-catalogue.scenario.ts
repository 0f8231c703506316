import { expect } from 'multiarch-harness';
import { ADMIN } from '../_openstack/identity.ts';
import { test } from './murano.ts';

test('Keystone’s catalogue says where Murano is, by the type that clients look for', async ({ identity }) => {
  const { body } = await identity.signIn(ADMIN);
  const catalogue = body.token.catalog ?? [];
  expect(catalogue.map(({ type }) => type).sort()).toEqual(['application-catalog', 'identity', 'orchestration']);
  const murano = catalogue.find(({ type }) => type === 'application-catalog');
  expect(murano?.endpoints.map((one) => one.interface).sort()).toEqual(['admin', 'internal', 'public']);
  for (const { region, url } of murano?.endpoints ?? [])
    expect([region, url]).toEqual(['RegionOne', 'http://127.0.0.1:8082']);
});

test('Murano’s service user may do what it has to, and its password is its own', async ({ identity }) => {
  const signIn = await identity.signIn({ user: 'murano', password: 'murano', project: 'service' });
  expect(signIn.status).toBe(201);
  expect(signIn.body.token.roles?.map(({ name }) => name)).toContain('admin');
  expect((await identity.signIn({ user: 'murano', password: 'heat', project: 'service' })).status).toBe(401);
  expect((await identity.signIn({ user: 'murano', password: 'murano', project: 'admin' })).status).toBe(401);
});
