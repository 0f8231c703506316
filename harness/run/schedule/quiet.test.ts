import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { QuietLock, Slots } from './quiet.ts';

test('a measurement runs alone, and who is busy runs side by side', async () => {
  const lock = new QuietLock();
  let busy = 0;
  let measuring = 0;
  let most = 0;
  const seen: string[] = [];
  const work = async () => {
    busy += 1;
    most = Math.max(most, busy);
    if (measuring > 0) seen.push('busy while measured');
    for (let turn = 0; turn < 5; turn++) await setImmediate();
    busy -= 1;
  };
  const measure = async () => {
    measuring += 1;
    if (measuring > 1 || busy > 0) seen.push('measured beside something');
    for (let turn = 0; turn < 5; turn++) await setImmediate();
    measuring -= 1;
  };
  await Promise.all([
    lock.busy(work, 'a'),
    lock.quiet(measure, 'b'),
    lock.busy(work, 'a'),
    lock.quiet(measure, 'b'),
    lock.busy(work, 'a'),
    lock.busy(() => Promise.reject(new Error('no')), 'c').catch(() => {}),
    lock.quiet(() => Promise.reject(new Error('no')), 'c').catch(() => {}),
  ]);
  expect(seen).toEqual([]);
  expect(most).toBeGreaterThan(1);
});

test('no more at once than there are slots, also after failures', async () => {
  const slots = new Slots(2);
  let now = 0;
  let most = 0;
  let ran = 0;
  const work = async () => {
    now += 1;
    ran += 1;
    most = Math.max(most, now);
    await setImmediate();
    now -= 1;
    if (ran % 2 === 0) throw new Error('no');
  };
  await Promise.allSettled(Array.from({ length: 9 }, () => slots.use(work, 'a')));
  expect({ ran, most }).toEqual({ ran: 9, most: 2 });
});

test('who needs several places waits for them, in turn, and more than there are is all', async () => {
  const slots = new Slots(3);
  const order: string[] = [];
  let places = 0;
  const work = (name: string, wanted: number) =>
    slots.use(
      async () => {
        places += Math.min(wanted, 3);
        expect(places).toBeLessThanOrEqual(3);
        order.push(name);
        await setImmediate();
        places -= Math.min(wanted, 3);
      },
      name,
      wanted,
    );
  await Promise.all([work('one', 1), work('cluster', 3), work('another', 1), work('huge', 9), work('last', 1)]);
  expect(order).toEqual(['one', 'cluster', 'another', 'huge', 'last']);
});

test('who waits can ask for whom', async () => {
  const slots = new Slots(1);
  const lock = new QuietLock();
  const { promise, resolve } = Promise.withResolvers<void>();
  const working = slots.use(
    () => Promise.all([lock.busy(() => promise, 'one'), lock.busy(() => promise, 'two')]),
    'both',
  );
  const next = slots.use(() => lock.quiet(async () => lock.names, 'three'), 'later');
  await setImmediate();
  expect([slots.names, lock.names]).toEqual([['both'], ['one', 'two']]);
  resolve();
  await working;
  expect(await next).toEqual(['three']);
  expect([slots.names, lock.names]).toEqual([[], []]);
});
