// In a file of its own whose name sorts last: the machine comes back slow, with cold caches, and the other
// scenarios should not have to wait for that.
import { deadlineMs, expect, test } from 'multiarch-harness';
import { newCounter } from './counter.ts';
import { http } from './http.ts';

/** A boot has 30 native seconds (`timeouts.boot` and what others may take of the host meanwhile); then the stack comes up. */
const REBOOT_MS = deadlineMs(45);

test('what Redis has acknowledged is there after the power was cut', { timeout: REBOOT_MS }, async ({
  target,
  stack,
  skip,
}) => {
  skip(!target.can('power'), 'nobody can cut the power of this target');
  const counter = newCounter(stack.url('http', '/app/counter'));
  for (let index = 0; index < 10; index++) await counter.add();
  const boot = await target.read('/proc/sys/kernel/random/boot_id');

  await target.powerCycle();

  // Otherwise nothing below would mean anything.
  expect(await target.read('/proc/sys/kernel/random/boot_id')).not.toBe(boot);
  expect(await counter.value()).toBe(10);
  expect(await counter.add()).toBe(11);
  expect((await http(stack.url('http', '/'))).status).toBe(200);
});
