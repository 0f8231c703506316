import { createHmac } from 'node:crypto';
import { eventually, expect } from 'multiarch-harness';
import { ADMIN, test } from './identity.ts';

const KEYS = '/etc/keystone/fernet-keys';

/**
 * Whether a token was made with a key. The first half of a key signs all of a token but its last 32 bytes, the signature.
 * Source: https://github.com/fernet/spec/blob/master/Spec.md
 */
function madeWith(token: string, key: string): boolean {
  const bytes = Buffer.from(token, 'base64url');
  const signs = Buffer.from(key, 'base64url').subarray(0, 16);
  return createHmac('sha256', signs).update(bytes.subarray(0, -32)).digest().equals(bytes.subarray(-32));
}

test('keys are rotated: new tokens have the new key, and old ones stay valid', async ({ identity, stack, target }) => {
  const { token: old } = await identity.signIn(ADMIN);
  const [staged, primary] = (await target.sh(`cat ${KEYS}/0 ${KEYS}/1`)).split('\n') as [string, string];
  expect([madeWith(old!, primary), madeWith(old!, staged)]).toEqual([true, false]);

  await target.sh('runuser -u keystone -- keystone-manage fernet_rotate', { seconds: 120 });
  expect(await target.sh(`cd ${KEYS} && ls && cat 2`)).toBe(`0\n1\n2\n${staged}`);
  const { token } = await identity.signIn(ADMIN);
  expect([madeWith(token!, primary), madeWith(token!, staged)]).toEqual([false, true]);
  // What Keystone keeps in memcached it would not have to read again.
  await stack.service('memcached').restart();
  expect((await identity.validate(old!, token!)).status).toBe(200);
  expect((await identity.ask('GET', '/users', { token: old! })).status).toBe(200);
});

test('without memcached everything still works, only slower', async ({ identity, stack }) => {
  const { token } = await identity.signIn(ADMIN);
  const memcached = stack.service('memcached');
  await memcached.stop();
  try {
    const admin = await identity.admin();
    expect((await identity.validate(token!, admin)).status).toBe(200);
    expect((await identity.ask('GET', '/users', { token: admin })).status).toBe(200);
    expect((await identity.signIn({ user: 'admin', password: 'wrong' })).status).toBe(401);
  } finally {
    await memcached.start();
  }
  await eventually(async () => expect((await identity.validate(token!, await identity.admin())).status).toBe(200), {
    seconds: 10,
  });
});
