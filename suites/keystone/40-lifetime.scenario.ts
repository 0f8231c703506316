import { eventually, expect } from 'multiarch-harness';
import { ADMIN, test } from './identity.ts';

/** Seconds that a token lasts in the test of its end. */
const SHORT = 20;

test('tokens outlast a restart of Keystone, and end when their time is up', async ({ identity, stack, target }) => {
  const before = await identity.signIn(ADMIN);
  await target.sh(`sed -i 's/^expiration = .*/expiration = ${SHORT}/' /etc/keystone/keystone.conf`);
  try {
    await stack.service('keystone').restart();
    await stack.ready();
    const admin = await identity.admin();
    expect((await identity.validate(before.token!, admin)).status).toBe(200);
    const short = await identity.signIn(ADMIN);
    const end = Date.parse(short.body.token.expires_at);
    expect(end - Date.parse(short.body.token.issued_at)).toBe(1000 * SHORT);
    // An administrator's token of now is as short.
    await eventually(async () => expect((await identity.validate(short.token!, before.token!)).status).toBe(404), {
      seconds: SHORT + 10,
    });
    expect(Date.now()).toBeGreaterThan(end - 1000);
    expect((await identity.ask('GET', '/users', { token: short.token! })).status).toBe(401);
  } finally {
    await target.sh("sed -i 's/^expiration = .*/expiration = 86400/' /etc/keystone/keystone.conf");
    await stack.service('keystone').restart();
    await stack.ready();
  }
  expect((await identity.validate(before.token!, await identity.admin())).status).toBe(200);
});
