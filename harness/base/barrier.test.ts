import { expect, test } from 'vitest';
import { createBarrier } from './barrier.ts';

test('nobody passes before all have arrived, in every round', async () => {
  const barrier = createBarrier(3);
  const order: string[] = [];
  await Promise.all(
    ['a', 'b', 'c'].map(async (name) => {
      for (const round of [1, 2]) {
        order.push(`${name} arrives ${round}`);
        await barrier.arrive();
        order.push(`${name} passes ${round}`);
      }
    }),
  );
  const firstPass = order.findIndex((line) => line.includes('passes 1'));
  expect(order.slice(0, firstPass).filter((line) => line.includes('arrives 1'))).toHaveLength(3);
  expect(order.filter((line) => line.includes('passes 2'))).toHaveLength(3);
});

test('a party that fails rejects all others', async () => {
  const barrier = createBarrier(3);
  const waiting = [barrier.arrive(), barrier.arrive()];
  barrier.fail(new Error('QEMU is gone'));
  expect((await Promise.allSettled(waiting)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await expect(barrier.arrive()).rejects.toThrow('QEMU is gone');
});
