import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, copyFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Arch } from '../arch/index.ts';
import { makeFolder } from '../base/files.ts';
import { run } from '../base/process.ts';
import type { ReleaseName } from '../releases/index.ts';
import type { Apt, ResolvedPackage } from './apt.ts';
import type { PlainFile } from './files.ts';
import { imageConfiguration } from './image-configuration.ts';
import { unpack } from './unpack.ts';

/** The inputs of a container image. There is no registry: its files come from Debian's packages and the suite. */
export interface ContainerRequest {
  readonly arch: Arch;
  /** The release of its packages. */
  readonly release: ReleaseName;
  /** Name and tag, the same for every architecture: `my-web:1`. */
  readonly tag: string;
  readonly apt: Apt;
  /** Unpacked with their dependencies; no maintainer script runs. */
  readonly packages: readonly ResolvedPackage[];
  /** Absolute paths with `*` that are left out. */
  readonly exclude: readonly string[];
  readonly files: readonly PlainFile[];
  readonly command: readonly string[];
  readonly ports: readonly number[];
  readonly health?: { readonly command: readonly string[]; readonly seconds: number } | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The name of the archive in a cache entry. */
export const CONTAINER_FILE = 'image.tar';

/**
 * Writes an archive for `docker load`. Its configuration names the architecture: `docker import` would use the engine's
 * own, and a later `--platform` would not find the image. The same input gives the same bytes, and so the same image id
 * wherever it is built.
 */
export async function buildContainer(request: ContainerRequest, folder: string): Promise<void> {
  const { release, apt, packages, files, signal } = request;
  const cancel = signal ? { cancelSignal: signal } : {};
  const scratch = join(folder, 'scratch');
  const root = join(scratch, 'root');
  await unpack(root, { release, archives: packages.map((resolved) => apt.archive(resolved)), signal });
  await leaveDocumentationOut(root);
  await baseUsers(root);
  for (const name of ['dev', 'etc', 'proc', 'run', 'sys', 'tmp']) makeFolder(join(root, name));
  // For programs that are not root in their container. The umask would restrict mkdir's mode.
  await chmod(join(root, 'tmp'), 0o1777);
  for (const file of files) {
    const path = join(root, file.path);
    makeFolder(dirname(path));
    await rm(path, { force: true });
    await writeFile(path, file.content, { mode: Number.parseInt(file.mode, 8) });
  }
  const layer = join(scratch, 'layer.tar');
  await pack(root, layer, cancel, request.exclude);
  await writeArchive(
    { ...request, tag: () => request.tag, layer, config: (diff) => configuration(request, diff) },
    scratch,
    folder,
  );
  await rm(scratch, { recursive: true });
}

export interface ArchiveRequest extends Pick<ContainerRequest, 'signal'> {
  /** Name and tag, given the image's id. */
  readonly tag: (id: string) => string;
  /** The file system, a tar file; it is moved. */
  readonly layer: string;
  /** The image's configuration, given the layer's digest. */
  readonly config: (diff: string) => unknown;
}

/** Writes an archive of one layer for `docker load`. @returns the image's tag. */
export async function writeArchive(request: ArchiveRequest, scratch: string, folder: string): Promise<string> {
  const { layer, signal } = request;
  const cancel = signal ? { cancelSignal: signal } : {};
  const image = join(scratch, 'image');
  const hash = createHash('sha256');
  await pipeline(createReadStream(layer), hash);
  const diff = hash.digest('hex');
  const config = JSON.stringify(request.config(diff));
  const id = createHash('sha256').update(config).digest('hex');
  const tag = request.tag(id);
  makeFolder(join(image, diff));
  await run(['mv', layer, join(image, diff, 'layer.tar')], { purpose: 'keep the layer' });
  await writeFile(join(image, `${id}.json`), config);
  const manifest = [{ Config: `${id}.json`, RepoTags: [tag], Layers: [`${diff}/layer.tar`] }];
  await writeFile(join(image, 'manifest.json'), JSON.stringify(manifest));
  await pack(image, join(folder, CONTAINER_FILE), cancel);
  return tag;
}

/** The id of an archive's image in an engine: the digest of its configuration. */
export async function imageIdOf(archive: string): Promise<string> {
  const { stdout } = await run(['tar', '-xOf', archive, './manifest.json'], { purpose: `read ${archive}` });
  const [{ Config }] = JSON.parse(String(stdout)) as [{ Config: string }];
  return `sha256:${Config.replace(/\.json$/, '')}`;
}

/** Version of the recipe: images of an older harness are not reused. */
export const CONTAINER_RECIPE = 4;

/** Debian's own users and groups, which base-passwd's maintainer script would put there. */
async function baseUsers(root: string): Promise<void> {
  const masters = join(root, 'usr/share/base-passwd');
  for (const name of await readdir(masters).catch(() => []))
    if (name.endsWith('.master')) {
      makeFolder(join(root, 'etc'));
      await copyFile(join(masters, name), join(root, 'etc', name.replace(/\.master$/, '')));
    }
}

/** Documentation and translations, which nobody reads in a container. Licences stay. */
async function leaveDocumentationOut(root: string): Promise<void> {
  const share = join(root, 'usr/share');
  for (const name of ['info', 'lintian', 'locale', 'man'])
    await rm(join(share, name), { recursive: true, force: true });
  const docs = join(share, 'doc');
  const kept = (path: string) => path.endsWith('/copyright');
  for (const entry of await readdir(docs, { recursive: true, withFileTypes: true }).catch(() => []))
    if (!entry.isDirectory() && !kept(join(entry.parentPath, entry.name)))
      await rm(join(entry.parentPath, entry.name), { force: true });
}

function configuration({ arch, command, ports, health }: ContainerRequest, diff: string): unknown {
  const seconds = 1e9;
  return imageConfiguration(arch, diff, {
    Cmd: command,
    WorkingDir: '/',
    ExposedPorts: Object.fromEntries(ports.map((port) => [`${port}/tcp`, {}])),
    ...(health
      ? {
          Healthcheck: {
            Test: ['CMD', ...health.command],
            Interval: health.seconds * seconds,
            Timeout: 10 * health.seconds * seconds,
            Retries: 3,
          },
        }
      : {}),
  });
}

async function pack(folder: string, file: string, cancel: object, exclude: readonly string[] = []): Promise<void> {
  const without = exclude.map((path) => `--exclude=.${path}`);
  const same = [
    '--anchored',
    ...without,
    '--sort=name',
    '--mtime=@0',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--format=gnu',
  ];
  await run(['tar', '-C', folder, ...same, '-cf', file, '.'], { purpose: 'pack the container image', ...cancel });
}
