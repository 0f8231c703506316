import { eventually, expect, test } from 'multiarch-harness';
import { newCounter } from './counter.ts';

test('what Redis has acknowledged is there after it restarted', async ({ stack }) => {
  const counter = newCounter(stack.url('http', '/app/counter'));
  for (let index = 0; index < 5; index++) await counter.add();
  await stack.service('redis-server').restart();
  await eventually(async () => expect(await counter.value()).toBe(5), { seconds: 10 });
  // It takes up where it was.
  expect(await counter.add()).toBe(6);
});

test('while Redis is down the application says so, and pages are still served', async ({ stack }) => {
  const redis = stack.service('redis-server');
  await redis.stop();
  try {
    expect(await redis.isActive()).toBe(false);
    expect((await fetch(stack.url('http', '/app/health'))).status).toBe(503);
    expect((await fetch(stack.url('http', '/'))).status).toBe(200);
  } finally {
    await redis.start();
  }
  await eventually(async () => expect((await fetch(stack.url('http', '/app/health'))).status).toBe(200), {
    seconds: 10,
  });
});
