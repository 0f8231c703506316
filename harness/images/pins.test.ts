import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rejection, tempFiles } from '../testing/temp-files.ts';
import { cached, type EntryKind } from './cache.ts';
import { type ImageName, pinnedImage, pinOf, pinsText, readPins } from './pins.ts';
import { openRemote } from './remote/open.ts';

const web: ImageName = { what: 'disk', arch: 'arm64', release: 'trixie', suite: 'web' };

/** An entry with a file in it, and the path of the file. */
async function entry(cache: string, kind: EntryKind, name: string): Promise<string> {
  const request = { cache, kind, label: name, ingredients: name, needBytes: 0, remote: null };
  const { folder } = await cached(request, (place) => writeFile(join(place, name), name));
  return join(folder, name);
}

test('an image that one machine built is the same on another, from the remote cache', async () => {
  await using files = await tempFiles();
  const [one, two] = [join(files.folder, 'one'), join(files.folder, 'two')];
  const image = {
    ...{ key: 'k', kernel: await entry(one, 'kernel', 'vmlinuz'), disk: await entry(one, 'disk', 'disk.qcow2') },
    containers: [{ tag: 'app', archive: await entry(one, 'container', 'image.tar') }],
    packages: { versions: { nginx: '1.26' } },
  };
  const pin = pinOf(web, image, one);
  expect(pin.entries.map((name) => name.split('-')[0])).toEqual(['container', 'disk', 'kernel']);
  const file = join(files.folder, 'images.json');
  await writeFile(file, pinsText([pin, pinOf({ ...web, suite: 'a' }, image, one)]));
  expect(await readFile(file, 'utf8')).not.toContain(files.folder);
  const pins = await readPins(file);
  expect(pins.images.map(({ suite }) => suite)).toEqual(['a', 'web']);

  const remote = openRemote(`file://${join(files.folder, 'store')}`);
  const options = { remote: { remote, writes: false } };
  // Nobody has put it there yet, and nothing is taken in its place.
  expect(await rejection(pinnedImage(pins, web, two, options))).toMatch(
    /^the image container-[0-9a-f]{20} of web for arm64 is in no cache, and .*images.json lets no other be taken$/,
  );
  for (const name of pin.entries) {
    const [kind, key] = name.split('-') as [EntryKind, string];
    await remote.put({ kind, key, folder: join(one, 'images', name) });
  }
  const taken = await pinnedImage<typeof image>(pins, web, two, options);
  expect(taken.packages).toEqual(image.packages);
  expect(taken.disk.startsWith(two)).toBe(true);
  expect(await readFile(taken.disk, 'utf8')).toBe('disk.qcow2');
  expect(await readFile(taken.containers[0]!.archive, 'utf8')).toBe('image.tar');
  // Once it is here nobody is asked.
  await rm(join(files.folder, 'store'), { recursive: true });
  expect(await pinnedImage(pins, web, two, options)).toEqual(taken);
});

test('an image that the plan does not have is not taken', async () => {
  await using files = await tempFiles();
  const said = await rejection(pinnedImage({ file: 'images.json', images: [] }, web, files.folder, { remote: null }));
  expect(said).toBe('images.json has no image of web for arm64 (trixie, disk), and no other may be taken');
});

test('a file that is no plan is an error that says what makes one', async () => {
  await using files = await tempFiles({ 'images.json': '{"version": 2}' });
  const error = await readPins(join(files.folder, 'images.json')).catch((thrown: Error) => thrown);
  expect(error).toMatchObject({ hint: 'It is what `harness images build MATRIX --pin FILE` writes.' });
});
