import { expect, test } from 'vitest';
import { architectures, archNames, usualArchs } from '../arch/index.ts';
import { withArchs } from './archs.ts';
import { matrixSchema } from './schema/matrix.ts';

const matrix = (config: object = {}) => ({
  ...matrixSchema.parse({ arch: ['amd64', 'arm64'], suite: ['a'], release: ['trixie'], ...config }),
  name: 'm',
});
const unusual = archNames.filter((name) => !usualArchs.includes(name));

test.each(unusual)('%s is added if it is named, in any spelling, and by the name of a cell', (name) => {
  for (const spelling of [name, ...architectures[name].aliases])
    expect(withArchs(matrix(), { arch: [`amd64,${spelling}`] }).arch).toEqual(['amd64', 'arm64', name]);
  expect(withArchs(matrix(), { only: [`${name}/vm/*`] }).arch).toContain(name);
  expect(withArchs(matrix(), { arch: [`${name}+amd64`] }).arch).toContain(`${name}+amd64`);
});

test('a default one that the matrix does not have stays out, and so does an unknown word', () => {
  for (const words of [{}, { arch: ['ppc64le'] }, { arch: ['vax'] }, { only: ['**'] }, { only: ['*/vm/a'] }])
    expect(withArchs(matrix(), words).arch).toEqual(['amd64', 'arm64']);
});

test('one that the matrix already has is not added twice', () => {
  const held = matrix({ arch: archNames });
  expect(withArchs(held, { arch: [...unusual] })).toBe(held);
});

test('if Debian does not have it in the releases, the hint names a release that does', () => {
  for (const name of unusual.filter((one) => !architectures[one].releases.includes('bookworm'))) {
    const named = () => withArchs(matrix({ release: ['bookworm'] }), { arch: [name] });
    expect(named).toThrow(
      expect.objectContaining({
        message: `cannot run on ${name}: Debian bookworm does not have it`,
        hint: `Add --release ${architectures[name].releases[0]}`,
      }),
    );
    // A machine that exists has a system of its own.
    expect(withArchs(matrix({ release: ['bookworm'], target: ['ssh'] }), { arch: [name] }).arch).toContain(name);
  }
});
