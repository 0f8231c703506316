import { join } from 'node:path';
import { expect, test } from 'vitest';
import { architectures } from '../../arch/index.ts';
import { cached } from '../../images/cache.ts';
import { tempFiles } from '../../testing/temp-files.ts';
import { cachedTrialKernel } from './accelerator.ts';

test('an accelerator is tried with the newest kernel of the architecture in the cache, of whatever release', async () => {
  await using files = await tempFiles();
  const cache = files.folder;
  const kernel = (arch: string, release: string) =>
    cached(
      { cache, kind: 'kernel', label: `${release} ${arch} 6.1`, ingredients: { arch, release }, needBytes: 0 },
      async () => {},
    );
  expect(await cachedTrialKernel(architectures.amd64, cache)).toBeUndefined();
  await kernel('amd64', 'bookworm');
  const { folder } = await kernel('amd64', 'trixie');
  await kernel('arm64', 'trixie');
  expect(await cachedTrialKernel(architectures.amd64, cache)).toEqual({
    kernel: join(folder, 'vmlinuz'),
    initrd: join(folder, 'initrd'),
  });
});
