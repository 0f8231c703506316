import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cacheFolder, stateFolder } from './folders.ts';

test('XDG folders are absolute: a relative one is ignored, as the specification says', () => {
  expect(cacheFolder({ XDG_CACHE_HOME: '/x' })).toBe('/x/multiarch-harness');
  expect(stateFolder({ XDG_STATE_HOME: '/x' })).toBe('/x/multiarch-harness');
  for (const given of ['x', './x', '~/x', ''])
    expect([cacheFolder({ XDG_CACHE_HOME: given }), stateFolder({ XDG_STATE_HOME: given })], given).toEqual([
      join(homedir(), '.cache/multiarch-harness'),
      join(homedir(), '.local/state/multiarch-harness'),
    ]);
});
