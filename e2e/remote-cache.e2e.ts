import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type BuildRequest, cached, entryOf } from '../harness/images/cache.ts';
import { openRemote } from '../harness/images/remote/open.ts';
import type { RemoteCache } from '../harness/images/remote/remote.ts';
import { type TempFiles, tempFiles } from '../harness/testing/temp-files.ts';
import { startRegistry, startTokenServer } from './support/token-registry.ts';

const build = async (folder: string) => writeFile(join(folder, 'disk.qcow2'), Buffer.alloc(3 * 2 ** 20, 'disk'));
const never = () => Promise.reject(new Error('it was built'));

/** What machines ask for, each with a cache of its own, and the warnings that they are given. */
function machines({ folder }: TempFiles) {
  const warnings: string[] = [];
  const request = (machine: string, remote: RemoteCache, writes: boolean): BuildRequest => ({
    ...{ cache: join(folder, machine), kind: 'disk', label: 'arm64 web', ingredients: 'web', needBytes: 0 },
    remote: { remote, writes },
    warn: (warning) => warnings.push(warning),
  });
  return { warnings, request };
}
const verbs = (warnings: readonly string[]) => warnings.map((warning) => warning.split(' ').slice(0, 2).join(' '));

test("a registry of containers' images is a cache behind those of many machines, and one that is down is a warning", async () => {
  await using files = await tempFiles();
  await using registry = await startRegistry(files.folder);
  const remote = openRemote(`oci://${registry.address}/lab/harness`);
  const { warnings, request } = machines(files);
  const first = await cached(request('one', remote, true), build);
  const second = await cached(request('two', remote, false), never);
  expect([first.hit, second.hit, second.key, warnings]).toEqual([false, true, first.key, []]);
  // The first to put a key wins.
  await remote.put({ ...first, folder: join(files.folder, 'none') });
  const other = await entryOf(join(files.folder, 'three'), 'disk', '0'.repeat(20), request('three', remote, false));
  expect([other, warnings]).toEqual([undefined, []]);
  await registry.stop();
  const third = await cached(request('four', remote, true), build);
  expect(third.hit).toBe(false);
  expect(verbs(warnings)).toEqual(['cannot take', 'cannot put']);
});

test('a registry that wants tokens: who has a password writes, anybody reads, and others get a warning', async () => {
  await using files = await tempFiles();
  await using tokens = await startTokenServer(files.folder, { ci: 'secret' });
  await using registry = await startRegistry(files.folder, tokens.auth);
  const as = (auth?: string) => openRemote(`oci://${registry.address}/lab/harness`, { HARNESS_REGISTRY_AUTH: auth });
  const { warnings, request } = machines(files);
  const [pull, both] = ['repository:lab/harness:pull', 'repository:lab/harness:pull,push'];

  // Nobody in particular may not write, and says so without holding anything up.
  expect((await cached(request('nobody', as(), true), build)).hit).toBe(false);
  expect(warnings.splice(0)).toEqual([
    expect.stringMatching(/^cannot put disk-\w+ into the cache oci:.* answers POST with 401/),
  ]);
  tokens.asked.splice(0);

  // A token for each need, although there are several requests.
  const ci = as('ci:secret');
  const first = await cached(request('one', ci, true), build);
  expect([first.hit, warnings, tokens.asked.splice(0)]).toEqual([false, [], [`ci ${pull}`, `ci ${both} ${pull}`]]);
  const second = await cached(request('two', as(), false), never);
  expect([second.hit, second.key, warnings, tokens.asked.splice(0)]).toEqual([true, first.key, [], [`- ${pull}`]]);

  // A registry says of a token that it has expired, which nobody has said before.
  tokens.expired = true;
  const late = as('ci:secret');
  const gone = await cached(request('three', late, false), build);
  expect([gone.hit, warnings.splice(0)]).toEqual([false, [expect.stringMatching(/answers GET with 401/)]]);
  tokens.expired = false;
  const third = await cached(request('four', late, false), never);
  expect([third.hit, warnings]).toEqual([true, []]);

  expect((await cached(request('five', as('ci:wrong'), true), build)).hit).toBe(false);
  expect(verbs(warnings)).toEqual(['cannot take', 'cannot put']);
  for (const warning of warnings) {
    expect(warning).toMatch(/cannot get a token from 127\.0\.0\.1:\d+: it answers with 401$/);
    expect(warning).not.toContain('wrong');
  }
});
