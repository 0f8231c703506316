import { describe, expect, test } from 'vitest';
import { matrixSchema } from './schema/matrix.ts';
import type { Matrix } from './suite.ts';
import { preferencesOf, withTargets } from './targets.ts';

const matrix = (config: object = {}): Matrix => ({
  ...matrixSchema.parse({ arch: ['amd64'], suite: ['a'], ...config }),
  name: 'm',
});
const left = (config: object, ...kinds: Parameters<typeof withTargets>[1]) =>
  preferencesOf(withTargets(matrix(config), kinds));

describe('preferencesOf', () => {
  test('a list is one preference, and each makes a cell for every kind', () => {
    expect(preferencesOf(matrix())).toEqual([['vm']]);
    expect(preferencesOf(matrix({ target: ['ssh', 'vm'] }))).toEqual([['ssh', 'vm']]);
    expect(preferencesOf(matrix({ target: { each: ['vm', 'container'] } }))).toEqual([['vm'], ['container']]);
  });
});

describe('withTargets', () => {
  test('kinds that the matrix names are selected', () => {
    expect(left({ target: ['ssh', 'vm'] }, 'vm')).toEqual([['vm']]);
    expect(left({ target: { each: ['vm', 'container'] } }, 'container')).toEqual([['container']]);
    expect(left({ target: ['ssh', 'vm'] })).toEqual([['ssh', 'vm']]);
  });

  test('another kind runs everything, without the exclusions of the named kinds', () => {
    const written = matrix({
      exclude: [{ arch: 'amd64', target: 'vm' }, { suite: 'b' }],
      include: [{ arch: 'arm64', target: 'vm', suite: 'b' }],
      'non-voting': ['*/vm/*'],
    });
    expect(withTargets(written, ['container', 'local'])).toMatchObject({
      target: { each: ['container', 'local'] },
      exclude: [{ suite: 'b' }],
      include: [],
      'non-voting': [],
    });
  });

  test('entries about kinds that are left out are not a mistake', () => {
    const written = { target: { each: ['vm', 'container'] }, exclude: [{ target: 'container', suite: 'a' }] };
    expect(withTargets(matrix(written), ['vm'])).toMatchObject({ target: { each: ['vm'] }, narrowed: true });
    expect(withTargets(matrix(written), []).narrowed).toBeUndefined();
  });

  test('a kind that only include names counts as named', () => {
    const include = [{ arch: 'arm64', target: 'ssh', suite: 'a' }];
    expect(withTargets(matrix({ include }), ['ssh']).include).toHaveLength(1);
  });
});
