import { expect, test } from 'vitest';
import { failAfter } from './fail-after.ts';

test('why work failed is thrown once everything is given back', async () => {
  let given = false;
  await expect(
    failAfter(new Error('no SSH after 450 s'), async () => {
      given = true;
    }),
  ).rejects.toThrow('no SSH after 450 s');
  expect(given).toBe(true);
});

test('it is thrown as well when something cannot be given back', async () => {
  const full = () => Promise.reject(new Error('ENOTEMPTY: directory not empty'));
  await expect(failAfter(new Error('no SSH after 450 s'), full)).rejects.toThrow('no SSH after 450 s');
});
