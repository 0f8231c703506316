import { expect } from 'multiarch-harness';
import { ADMIN, test } from './identity.ts';

test('tokens issued', async ({ identity, measure }) => {
  await measure.onController(async () => expect((await identity.signIn(ADMIN)).status).toBe(201), {
    samples: 20,
    per: 'token',
  });
});

test('tokens validated', async ({ identity, measure }) => {
  const admin = await identity.admin();
  await measure.onController(async () => expect((await identity.validate(admin, admin)).status).toBe(200), {
    samples: 20,
    per: 'token',
  });
});

test('catalogue', async ({ identity, measure }) => {
  const token = await identity.admin();
  await measure.onController(
    async () => expect((await identity.ask('GET', '/auth/catalog', { token })).status).toBe(200),
    { samples: 20, per: 'catalogue' },
  );
});
