import { expect, test } from 'vitest';
import { impatience } from './interrupt.ts';

test('signals at the same time count as one, a signal after a pause as a second', () => {
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
