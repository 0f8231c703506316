import { expect, test } from 'multiarch-harness';

test('x', async ({ target }) => {
  expect(await target.sh('docker images')).toBe('');
});
