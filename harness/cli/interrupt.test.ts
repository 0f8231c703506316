import { expect, test } from 'vitest';
import { signalRequests } from './interrupt.ts';

test('signals at the same time count as one, a signal after a pause as a second', () => {
  let ms = 1000;
  const request = signalRequests(() => ms);
  expect(request()).toBe('interrupt');
  ms += 3;
  expect(request()).toBe('nothing');
  ms += 1400;
  expect(request()).toBe('nothing');
  ms += 200;
  expect(request()).toBe('leave');
});
