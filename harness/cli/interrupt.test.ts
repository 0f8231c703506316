import { expect, test } from 'vitest';
import { impatience } from './interrupt.ts';

test('signals at once are one wish, one after a pause is impatience', () => {
  let ms = 1000;
  const wish = impatience(() => ms);
  expect(wish()).toBe('interrupt');
  ms += 3;
  expect(wish()).toBe('nothing');
  ms += 1400;
  expect(wish()).toBe('nothing');
  ms += 200;
  expect(wish()).toBe('leave');
});
