import { chmod, mkdir, open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { type TempFiles, tempFiles } from '../../testing/temp-files.ts';
import { type BuildRequest, cached, entryOf, findEntry } from '../cache.ts';
import { openRemote, remoteOf } from './open.ts';
import { unpack } from './pack.ts';
import type { RemoteCache } from './remote.ts';

/** A program that keeps files in a folder, as `rclone copyto` would. */
const PROGRAM = `#!/bin/sh
set -e
case $1 in
get) [ -e "$STORE/$2" ] || exit 44; cp "$STORE/$2" "$3" ;;
put) mkdir -p "$(dirname "$STORE/$2")"; cp "$3" "$STORE/$2" ;;
esac
`;

/** A cache of each kind that needs nothing else, and the folder where its entries end. */
const KINDS: readonly [string, (files: TempFiles) => Promise<{ remote: RemoteCache; store: string }>][] = [
  [
    'file:',
    async ({ folder }) => ({ remote: openRemote(`file://${join(folder, 'store')}`), store: join(folder, 'store') }),
  ],
  [
    'command:',
    async ({ folder }) => {
      const program = join(folder, 'program');
      await writeFile(program, PROGRAM);
      await chmod(program, 0o755);
      const store = join(folder, 'store');
      await mkdir(store);
      return { remote: openRemote(`command:env STORE=${store} ${program}`), store };
    },
  ],
];

const request = (cache: string, remote: RemoteCache, more: Partial<BuildRequest> = {}): BuildRequest => ({
  ...{ cache, kind: 'disk', label: 'arm64 web', ingredients: { packages: ['nginx'] }, needBytes: 0 },
  remote: { remote, writes: true },
  ...more,
});

/** An entry with a file that is mostly a hole, and one in a folder that can be executed. */
async function build(folder: string): Promise<void> {
  const file = await open(join(folder, 'memory'), 'w');
  await file.write('begin', 0);
  await file.write('end', 8 * 2 ** 20);
  await file.truncate(16 * 2 ** 20);
  await file.close();
  await mkdir(join(folder, 'node'));
  await writeFile(join(folder, 'node/run'), '#!/bin/sh\n');
  await chmod(join(folder, 'node/run'), 0o755);
}
const never = async () => {
  throw new Error('it was built');
};

describe.each(KINDS)('a cache behind %s', (_name, make) => {
  test('what one machine built another one takes, byte for byte, with its holes', async () => {
    await using files = await tempFiles();
    const { remote } = await make(files);
    const one = await cached(request(join(files.folder, 'one'), remote), build);
    expect(one.hit).toBe(false);
    const two = await cached(request(join(files.folder, 'two'), remote), never);
    expect([two.hit, two.key]).toEqual([true, one.key]);
    const bytes = await readFile(join(two.folder, 'memory'));
    expect(bytes.equals(await readFile(join(one.folder, 'memory')))).toBe(true);
    expect((await stat(join(two.folder, 'memory'))).blocks * 512).toBeLessThan(2 ** 20);
    expect((await stat(join(two.folder, 'node/run'))).mode & 0o777).toBe(0o755);
    const found = await findEntry(
      join(files.folder, 'three'),
      'disk',
      { packages: ['nginx'] },
      {
        remote: { remote, writes: false },
      },
    );
    expect(found?.meta.label).toBe('arm64 web');
  });

  test('whoever may not write, writes nothing; the first to put a key wins', async () => {
    await using files = await tempFiles();
    const { remote, store } = await make(files);
    const reads = { remote: { remote, writes: false } };
    await cached(request(join(files.folder, 'one'), remote, reads), build);
    expect(await readdir(store).catch(() => [])).toEqual([]);
    const first = await cached(request(join(files.folder, 'two'), remote), build);
    await writeFile(join(first.folder, 'node/run'), 'changed');
    await remote.put(first);
    const taken = await cached(request(join(files.folder, 'three'), remote), never);
    expect(await readFile(join(taken.folder, 'node/run'), 'utf8')).toBe('#!/bin/sh\n');
    expect((await readdir(store)).filter((name) => name.includes('partial'))).toEqual([]);
  });

  test('what is not what its digest says is a miss with a warning, and nothing of it is left', async () => {
    await using files = await tempFiles();
    const { remote, store } = await make(files);
    const { key } = await cached(request(join(files.folder, 'one'), remote), build);
    const entry = join(store, `disk-${key}`);
    for (const name of await readdir(entry))
      if (name !== 'entry.json') {
        const bytes = await readFile(join(entry, name));
        bytes[bytes.length - 1]! ^= 1;
        await writeFile(join(entry, name), bytes);
      }
    const warnings: string[] = [];
    const again = request(join(files.folder, 'two'), remote, { warn: (text) => warnings.push(text) });
    const built = await cached(again, (folder) => writeFile(join(folder, 'other'), ''));
    expect((await readdir(built.folder)).sort()).toEqual(['meta.json', 'other']);
    expect(warnings.length).toBe(1);
    expect(warnings[0]).toContain(`cannot take disk-${key} from the cache`);
    const { kind } = again;
    expect(await entryOf(join(files.folder, 'three'), kind, key, { remote: { remote, writes: false } })).toBe(
      undefined,
    );
  });

  test('a file of an entry stays in its folder', async () => {
    await using files = await tempFiles();
    const { remote, store } = await make(files);
    const { key } = await cached(request(join(files.folder, 'one'), remote), build);
    const list = join(store, `disk-${key}`, 'entry.json');
    await writeFile(list, (await readFile(list, 'utf8')).replace('node/run', '../../run'));
    const folder = join(files.folder, 'empty');
    await mkdir(folder);
    await expect(remote.get('disk', key, folder)).rejects.toThrow();
    expect(await readdir(folder)).toEqual([]);
  });
});

test('what arrives without an end is not read without one', async () => {
  await using files = await tempFiles();
  const file = { path: 'memory', mode: 0o644, bytes: 0, digest: '0'.repeat(64), packedBytes: 100 };
  // A frame of zstd that is to be skipped, again and again.
  const frame = Buffer.alloc(4096);
  frame.writeUInt32LE(0x184d2a50, 0);
  frame.writeUInt32LE(frame.length - 8, 4);
  const endless = Readable.from(
    (function* () {
      for (;;) yield frame;
    })(),
  );
  await expect(unpack(endless, file, files.folder)).rejects.toThrow('memory is longer than it was when it was sent');
});

test('a cache that is away is a warning, and everything is built', async () => {
  await using files = await tempFiles();
  const warnings: string[] = [];
  const away = openRemote('oci://127.0.0.1:9/harness');
  const options = request(files.folder, away, { warn: (text) => warnings.push(text) });
  const built = await cached(options, (folder) => writeFile(join(folder, 'disk'), 'built'));
  expect(built.hit).toBe(false);
  expect(warnings.map((text) => text.replace(/disk-[0-9a-f]+/, 'disk-KEY').split(':')[0])).toEqual([
    'cannot take disk-KEY from the cache oci',
    'cannot put disk-KEY into the cache oci',
  ]);
});

test('addresses', () => {
  for (const wrong of [
    'ftp://x',
    '/folder',
    'oci://registry',
    'command:',
    'file://host/x',
    'oci://registry/a?b',
    'oci://me@registry/a',
  ])
    expect(() => openRemote(wrong), wrong).toThrow('expected file:///folder, oci://registry/name or command:PROGRAM');
  expect(() => openRemote('oci://ghcr.io/Owner/cache')).toThrow(
    expect.objectContaining({ hint: 'Names in a registry are in lower case.' }),
  );
  expect(openRemote('oci://registry.lab:5000/harness').name).toBe('oci://registry.lab:5000/harness');
  expect(remoteOf({})).toBe(undefined);
  expect(remoteOf({ HARNESS_REMOTE_CACHE: 'file:///x' })?.writes).toBe(false);
  expect(remoteOf({ HARNESS_REMOTE_CACHE: 'file:///x', HARNESS_REMOTE_CACHE_PUT: '1' })?.writes).toBe(true);
});
