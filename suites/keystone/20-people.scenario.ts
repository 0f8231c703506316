import { expect } from 'multiarch-harness';
import { ADMIN, type Identity, test } from './identity.ts';

interface Thing {
  readonly id: string;
  readonly name: string;
}

async function roleNamed(identity: Identity, name: string, token: string): Promise<string> {
  const { body } = await identity.ask<{ roles: Thing[] }>('GET', `/roles?name=${name}`, { token });
  return body.roles[0]!.id;
}

test('a user is let into a project by a role, and out again', async ({ identity }) => {
  const admin = await identity.admin();
  const project = await identity.make<Thing>('project', { name: 'ships', domain_id: 'default' }, admin);
  const user = await identity.make<Thing>('user', { name: 'ada', password: 'lovelace', domain_id: 'default' }, admin);
  const ada = { user: 'ada', password: 'lovelace', project: 'ships' };
  expect((await identity.signIn(ada)).status).toBe(401);

  const role = `/projects/${project.id}/users/${user.id}/roles/${await roleNamed(identity, 'member', admin)}`;
  expect((await identity.ask('PUT', role, { token: admin })).status).toBe(204);
  const inside = await identity.signIn(ada);
  expect(inside.body.token.roles?.map(({ name }) => name).sort()).toEqual(['member', 'reader']);
  // Whoever is no administrator sees that, and no more.
  expect((await identity.ask('GET', '/users', { token: inside.token! })).status).toBe(403);
  expect((await identity.ask('GET', `/users/${user.id}`, { token: inside.token! })).status).toBe(200);
  const twice = { project: { name: 'ships', domain_id: 'default' } };
  expect((await identity.ask('POST', '/projects', { token: admin, body: twice })).status).toBe(409);

  expect((await identity.ask('DELETE', role, { token: admin })).status).toBe(204);
  expect((await identity.validate(inside.token!, admin)).status).toBe(404);
  expect((await identity.signIn(ada)).status).toBe(401);
  for (const path of [`/users/${user.id}`, `/projects/${project.id}`]) {
    expect((await identity.ask('DELETE', path, { token: admin })).status).toBe(204);
    expect((await identity.ask('GET', path, { token: admin })).status).toBe(404);
  }
});

test('a password that is changed ends what the old one got', async ({ identity }) => {
  const admin = await identity.admin();
  const user = await identity.make<Thing>('user', { name: 'grace', password: 'old', domain_id: 'default' }, admin);
  const old = await identity.signIn({ user: 'grace', password: 'old' });
  expect(old.status).toBe(201);
  const body = { user: { original_password: 'old', password: 'new' } };
  expect((await identity.ask('POST', `/users/${user.id}/password`, { token: old.token!, body })).status).toBe(204);
  expect((await identity.signIn({ user: 'grace', password: 'old' })).status).toBe(401);
  expect((await identity.validate(old.token!, admin)).status).toBe(404);
  expect((await identity.signIn({ user: 'grace', password: 'new' })).status).toBe(201);
  expect((await identity.ask('DELETE', `/users/${user.id}`, { token: admin })).status).toBe(204);
});

test('an application credential signs in without a password, for what it was made for, until it is deleted', async ({
  identity,
}) => {
  const { token, body } = await identity.signIn(ADMIN);
  const at = `/users/${body.token.user.id}/application_credentials`;
  const wanted = { name: 'backup', roles: [{ name: 'reader' }] };
  const made = await identity.make<Thing & { secret: string }>('application_credential', wanted, token!, at);
  const who = { id: made.id, secret: made.secret };
  const inside = await identity.signIn(who);
  expect(inside.status).toBe(201);
  expect(inside.body.token.roles?.map(({ name }) => name)).toEqual(['reader']);
  // It may not make more of its kind.
  const more = { token: inside.token!, body: { application_credential: { name: 'more' } } };
  expect((await identity.ask('POST', at, more)).status).toBe(403);
  expect((await identity.signIn({ ...who, secret: 'wrong' })).status).toBe(401);

  expect((await identity.ask('DELETE', `${at}/${made.id}`, { token: token! })).status).toBe(204);
  // Not 401: Keystone says that there is no such credential.
  const gone = await identity.signIn(who);
  expect([gone.status, gone.token]).toEqual([404, undefined]);
  expect((await identity.validate(inside.token!, token!)).status).toBe(404);
});
