import { readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { z } from 'zod';
import { ConfigError, InfraError, messageOf } from '../base/errors.ts';
import { type BuildRequest, type EntryKind, entryOf, imagesFolder } from './cache.ts';

/** What an image is for: a machine, a container that is a machine, or container images on a machine that is there. */
export type ImageFor = 'disk' | 'system' | 'none';

/** Which image is meant. */
export interface ImageName {
  readonly what: ImageFor;
  readonly arch: string;
  readonly release: string;
  readonly suite: string;
}

/** Stands for the folder of the cache's entries, which differs between machines. */
const PLACE = 'cache:';

const pinned = z.strictObject({
  what: z.enum(['disk', 'system', 'none']),
  arch: z.string(),
  release: z.string(),
  suite: z.string(),
  /** The entries of the cache that it is made of: `disk-0123456789abcdef0123`. */
  entries: z.array(z.string().regex(/^[a-z]+-[0-9a-f]{20}$/)),
  /** The image as a build returns it; paths begin with `cache:`. */
  image: z.looseObject({}),
});
type Pinned = z.output<typeof pinned>;

const pinsFile = z.strictObject({ version: z.literal(1), images: z.array(pinned) });

/**
 * The images of a plan: everybody who is given them takes these, and resolves no packages. A key depends on when a machine last
 * fetched its package lists, so that several machines would test different images under one name.
 */
export interface Pins {
  readonly file: string;
  readonly images: readonly Pinned[];
  /** Whether an image that cannot be had is built instead, with a warning. Default: nothing is taken in its place. */
  readonly optional?: boolean;
}

/** Reads `images.json`. @throws ConfigError where it is none. */
export async function readPins(file: string): Promise<Pins> {
  const hint = 'It is what `harness images build MATRIX --pin FILE` writes.';
  try {
    return { file, ...pinsFile.parse(JSON.parse(await readFile(file, 'utf8'))) };
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : messageOf(cause);
    throw new ConfigError(`cannot read the images of a plan in ${file}: ${why}`, { cause, hint });
  }
}

/** The file of some pins, sorted: the same images are the same text. */
export function pinsText(images: readonly Pinned[]): string {
  const nameOf = ({ what, arch, release, suite }: Pinned) => [suite, arch, release, what].join(' ');
  const sorted = images.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  return `${JSON.stringify({ version: 1, images: sorted }, null, 1)}\n`;
}

/** An image that was built, as others can take it. */
export function pinOf(name: ImageName, image: object, cache: string): Pinned {
  const entries = new Set<string>();
  const folder = imagesFolder(cache);
  const text = JSON.stringify(image, (_, value: unknown) => {
    if (typeof value !== 'string' || !value.startsWith(folder + sep)) return value;
    const place = relative(folder, value);
    entries.add(place.split(sep)[0]!);
    return `${PLACE}${place}`;
  });
  return { ...name, entries: [...entries].sort(), image: JSON.parse(text) as Pinned['image'] };
}

/**
 * The pinned image, from this machine's cache or a remote one.
 * @throws InfraError when the plan has none of that name, or no cache has it.
 */
export async function pinnedImage<T extends object>(
  { file, images, optional }: Pins,
  name: ImageName,
  cache: string,
  options: Pick<BuildRequest, 'remote' | 'signal' | 'warn'>,
): Promise<T> {
  const { what, arch, release, suite } = name;
  const found = images.find(
    (one) => one.what === what && one.arch === arch && one.release === release && one.suite === suite,
  );
  if (!found)
    throw new InfraError(
      `${file} has no image of ${suite} for ${arch} (${release}, ${what})${optional ? '' : ', and no other may be taken'}`,
      {
        hint: 'Make the plan with the same matrix: harness images build MATRIX --pin images.json --push',
      },
    );
  for (const entry of found.entries) {
    const [kind, key] = entry.split('-') as [EntryKind, string];
    if (await entryOf(cache, kind, key, options)) continue;
    throw new InfraError(
      `the image ${entry} of ${suite} for ${arch} is in no cache${optional ? '' : `, and ${file} lets no other be taken`}`,
      {
        hint: 'The plan puts it there: harness images build MATRIX --pin images.json --push; $HARNESS_REMOTE_CACHE names the cache.',
      },
    );
  }
  const folder = imagesFolder(cache);
  return JSON.parse(JSON.stringify(found.image), (_, value: unknown) =>
    typeof value === 'string' && value.startsWith(PLACE) ? join(folder, value.slice(PLACE.length)) : value,
  ) as T;
}
