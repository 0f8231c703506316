import { deadlineMs, expect } from 'multiarch-harness';
import { test } from './identity.ts';

/** A boot, and a start of Keystone, which takes as long as `ready` of suite.yaml lets it. */
const REBOOT_MS = deadlineMs(120);

test('what Keystone acknowledged outlasts a power cut', { timeout: REBOOT_MS }, async ({ identity, target, skip }) => {
  skip(!target.can('power'), 'nobody can cut the power of this target');
  const admin = await identity.admin();
  const boot = await target.read('/proc/sys/kernel/random/boot_id');
  const acknowledged: string[] = [];
  const ship = async (name: string) => {
    await identity.make('project', { name, domain_id: 'default' }, admin);
    acknowledged.push(name);
  };
  for (const number of [1, 2, 3, 4, 5]) await ship(`ship-${number}`);
  // The power goes while one more is being made: whether that is there afterwards is up to Keystone, unless it said so.
  ship('ship-6').catch(() => undefined);
  await target.powerCycle();

  // Otherwise nothing below would mean anything.
  expect(await target.read('/proc/sys/kernel/random/boot_id')).not.toBe(boot);
  const { body } = await identity.ask<{ projects: { id: string; name: string }[] }>('GET', '/projects', {
    token: admin,
  });
  const left = body.projects.filter(({ name }) => name.startsWith('ship-'));
  expect(left.map(({ name }) => name)).toEqual(expect.arrayContaining(acknowledged));
  for (const { id } of left)
    expect((await identity.ask('DELETE', `/projects/${id}`, { token: admin })).status).toBe(204);
  // A token of before is as good as it was.
  expect((await identity.validate(admin, await identity.admin())).status).toBe(200);
});
