import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, InfraError, messageOf } from '../base/errors.ts';
import { replaceFile } from '../base/files.ts';
import { lock } from '../base/lock.ts';
import { run } from '../base/process.ts';
import { writeAptConfig } from './apt.ts';
import { cached } from './cache.ts';
import { aptSources, type ImageSettings } from './settings.ts';

/** The folder of an entry in which the source is. */
const SOURCE = 'source';

/**
 * The upstream source of a Debian source package, unpacked, from the cache or from the archive with its signature verified.
 * Debian's own patches are not applied: this is the project's release.
 * @returns its folder, absolute; it belongs to the cache and must not be written to.
 * @throws ConfigError if there is no such package.
 */
export async function sourcePackage(
  name: string,
  settings: ImageSettings,
  io: { readonly signal?: AbortSignal | undefined; readonly progress?: (message: string) => void } = {},
): Promise<string> {
  const { cache, release } = settings;
  const label = `${name} source`;
  // The archive has one version of a package in a released suite, so its name is enough until a point release.
  const ingredients = { name, release, mirror: settings.mirror };
  const entry = await cached(
    { cache, kind: 'source', label, ingredients, needBytes: 2 ** 30, ...io },
    async (folder) => {
      io.progress?.(`fetching the source of ${name} from Debian ${release}`);
      const files = await fetchSource(name, settings, join(folder, 'files'), io.signal);
      const archive =
        files.find((file) => /\.orig\.tar\.\w+$/.test(file)) ?? files.find((file) => /\.tar\.\w+$/.test(file));
      if (archive === undefined) throw new InfraError(`cannot unpack the source of ${name}: it has no archive`);
      await mkdir(join(folder, SOURCE));
      const unpack = [
        'tar',
        '--extract',
        '--no-same-owner',
        '--strip-components=1',
        '--directory',
        join(folder, SOURCE),
      ];
      await run([...unpack, '--file', join(folder, 'files', archive)], { purpose: `unpack the source of ${name}` });
      await rm(join(folder, 'files'), { recursive: true });
    },
  );
  return join(entry.folder, SOURCE);
}

/**
 * The files of a Debian source package (`.dsc` and archives), from the cache or from the archive with its signature verified.
 * @returns their folder, absolute; it belongs to the cache and must not be written to.
 * @throws ConfigError if there is no such package.
 */
export async function sourceFiles(
  name: string,
  settings: ImageSettings,
  io: { readonly signal?: AbortSignal | undefined; readonly progress?: ((message: string) => void) | undefined } = {},
): Promise<string> {
  const { cache, release, mirror } = settings;
  const { folder } = await cached(
    {
      ...{ cache, kind: 'source', label: `${name} source package`, needBytes: 2 ** 30 },
      ingredients: { name, release, mirror, files: true },
      signal: io.signal,
    },
    async (into) => {
      io.progress?.(`fetching the source package ${name} from Debian ${release}`);
      await fetchSource(name, settings, join(into, SOURCE), io.signal, []);
    },
  );
  return join(folder, SOURCE);
}

async function fetchSource(
  name: string,
  settings: ImageSettings,
  into: string,
  signal?: AbortSignal,
  which: readonly string[] = ['--tar-only'],
): Promise<string[]> {
  const { cache, release } = settings;
  const folder = join(cache, 'apt', `${release}-source`);
  const [line = ''] = aptSources(settings);
  const config = await writeAptConfig(folder, { debian: 'amd64' });
  await replaceFile(join(folder, 'etc', 'sources.list'), `${line.replace(/^deb /, 'deb-src ')}\n`);
  await mkdir(into);
  const options = {
    env: { APT_CONFIG: config, LC_ALL: 'C.UTF-8' },
    cwd: into,
    ...(signal ? { cancelSignal: signal } : {}),
  };
  await using _lock = await lock(join(folder, 'lists.lock'), { ...(signal ? { signal } : {}) });
  await run(['apt-get', 'update', '-o', 'APT::Update::Error-Mode=any'], {
    ...options,
    purpose: `fetch the list of Debian ${release}'s source packages from ${settings.mirror}`,
  });
  await run(['apt-get', 'source', '--download-only', ...which, '--only-source', name], {
    ...options,
    purpose: `fetch the source of ${name}`,
  }).catch((error: unknown) => {
    if (!/Unable to find a source package/.test(messageOf(error))) throw error;
    throw new ConfigError(`cannot fetch the source of ${name}: Debian ${release} has no such source package`, {
      cause: error,
    });
  });
  return readdir(into);
}
