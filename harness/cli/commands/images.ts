import { rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ConfigError, InfraError, messageOf } from '../../base/errors.ts';
import { replaceFile } from '../../base/files.ts';
import { cacheFolder } from '../../base/folders.ts';
import { formatBytes, formatDuration } from '../../base/text.ts';
import { bytesIn, type EntryKind, imagesFolder, listEntries, removeDeadBuilds } from '../../images/cache.ts';
import { pinOf, pinsText } from '../../images/pins.ts';
import { openRemote } from '../../images/remote/open.ts';
import type { RemoteCache } from '../../images/remote/remote.ts';
import type { CellOptions } from '../../matrix/plan.ts';
import { checkPackages, imageSettings, imagesOf } from '../../run/cell/image.ts';
import { Slots } from '../../run/schedule/quiet.ts';
import { kinds } from '../../targets/kinds.ts';
import { chooseCells } from '../cells.ts';
import type { CliCommand } from '../command.ts';
import { cellOptions, count } from '../options.ts';

interface BuildFlags extends CellOptions {
  /** Where to write which images they are. */
  readonly pin?: string;
  /** The remote cache that they go to. */
  readonly push?: string | true;
}

/** `harness images build [matrix]` */
async function buildImages(named: string | undefined, options: BuildFlags): Promise<number> {
  const { matrix, cells } = await chooseCells(named, options);
  const remote = remoteFor(options.push);
  const settings = imageSettings(matrix, cacheFolder());
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  const slots = new Slots(2);
  for (const cell of cells)
    await checkPackages(cell, settings, {
      progress: (message) => say(`${cell.name}  ${message}`),
    });
  const images = await Promise.all(
    cells.map((cell) =>
      slots.use(async () => {
        const started = performance.now();
        const made = await imagesOf(cell, settings, {
          progress: (message) => say(`${cell.name}  ${message}`),
          warn: (message) => say(`${cell.name}  warning: ${message}`),
        });
        return [...made].map(([arch, image]) => {
          const how = image.cached ? 'was there' : `built in ${formatDuration(performance.now() - started)}`;
          say(`${cell.name}  ${arch} ${'key' in image ? image.key : 'container images'} ${how}`);
          return { cell, arch, image };
        });
      }, cell.name),
    ),
  );
  const pins = images
    .flat()
    .map(({ cell: { target, release, suite }, arch, image }) =>
      pinOf({ what: kinds[target].image, arch, release, suite: suite.name }, image, settings.cache),
    );
  const each = [...new Map(pins.map((pin) => [JSON.stringify({ ...pin, image: pin.entries }), pin])).values()];
  if (remote) await push(each, remote, settings.cache, say);
  if (options.pin !== undefined) await replaceFile(resolve(options.pin), pinsText(each));
  if (options.json)
    process.stdout.write(
      `${JSON.stringify({ images: images.flat().map(({ cell, arch, image }) => ({ cell: cell.name, arch, ...image })) }, null, 2)}\n`,
    );
  return 0;
}

/** @throws ConfigError where `--push` names no cache, and the environment neither. */
function remoteFor(push: string | true | undefined): RemoteCache | undefined {
  if (push === undefined) return undefined;
  const address = push === true ? process.env['HARNESS_REMOTE_CACHE'] : push;
  if (address) return openRemote(address);
  throw new ConfigError('--push names no cache, and $HARNESS_REMOTE_CACHE is not set', {
    hint: 'harness images build --push oci://registry.lab:5000/harness',
  });
}

/** Puts what pinned images are made of into a remote cache. Here a failure is one: it is what was asked for. */
async function push(
  pins: readonly { readonly entries: readonly string[] }[],
  remote: RemoteCache,
  cache: string,
  say: (line: string) => void,
): Promise<void> {
  for (const entry of new Set(pins.flatMap(({ entries }) => entries))) {
    const [kind, key] = entry.split('-') as [EntryKind, string];
    const started = performance.now();
    await remote.put({ kind, key, folder: join(imagesFolder(cache), entry) }).catch((cause: unknown) => {
      throw new InfraError(`cannot put ${entry} into ${remote.name}: ${messageOf(cause)}`, { cause });
    });
    say(`${entry}  is in ${remote.name} after ${formatDuration(performance.now() - started)}`);
  }
}

/** `harness images list` */
async function listImages(options: { readonly json?: boolean }): Promise<number> {
  const { entries, partial } = await listEntries(cacheFolder());
  const rows = await Promise.all(
    entries.map(async ({ kind, key, folder, meta }) => ({
      kind,
      key,
      folder,
      label: meta.label,
      createdAt: meta.createdAt,
      usedAt: (await stat(folder)).mtime.toISOString(),
      buildMs: meta.buildMs,
      bytes: await bytesIn(folder),
    })),
  );
  rows.sort((a, b) => (a.usedAt < b.usedAt ? 1 : -1));
  if (options.json) process.stdout.write(`${JSON.stringify({ images: rows, partial }, null, 2)}\n`);
  else {
    for (const row of rows) {
      const age = formatDuration(Date.now() - Date.parse(row.usedAt));
      process.stdout.write(
        `${row.kind.padEnd(9)} ${row.label.padEnd(28)} ${row.key}  ${formatBytes(row.bytes).padStart(9)}  built in ${formatDuration(row.buildMs)}, used ${age} ago\n`,
      );
    }
    const total = rows.reduce((sum, row) => sum + row.bytes, 0);
    process.stdout.write(`${rows.length} entries, ${formatBytes(total)} in ${cacheFolder()}\n`);
  }
  return 0;
}

/** `harness images gc` */
async function collectImages(options: { readonly days: number; readonly all?: boolean }): Promise<number> {
  const { entries } = await listEntries(cacheFolder());
  const oldest = Date.now() - options.days * 86_400_000;
  let bytes = 0;
  let removed = 0;
  for (const { folder } of entries) {
    if (!options.all && (await stat(folder)).mtimeMs > oldest) continue;
    bytes += await bytesIn(folder);
    removed += 1;
    await rm(folder, { recursive: true, force: true });
  }
  const dead = await removeDeadBuilds(cacheFolder());
  bytes += dead.bytes;
  removed += dead.folders.length;
  process.stdout.write(`removed ${removed} entries, ${formatBytes(bytes)}\n`);
  return 0;
}

export const imagesBuildCommand: CliCommand = {
  name: 'images build',
  takesCommand: true,
  declare: (command) =>
    cellOptions(command)
      .description('build the images of a matrix without starting anything')
      .option('--pin <file>', 'write down which images they are, for `harness run --images` on other machines')
      .option('--push [cache]', 'put them into a remote cache; default: $HARNESS_REMOTE_CACHE')
      .addHelpText(
        'after',
        '\nExamples:\n  harness images build nightly\n  harness images build nightly --pin images.json --push oci://registry.lab:5000/harness',
      ),
  act: buildImages,
};

export const imagesListCommand: CliCommand = {
  name: 'images list',
  declare: (command) =>
    command.description('show what the cache holds').option('--json', 'print one JSON document on stdout'),
  act: listImages,
};

export const imagesGcCommand: CliCommand = {
  name: 'images gc',
  declare: (command) =>
    command
      .description('remove images not used for some days, and leftovers of interrupted builds')
      .option('--days <n>', 'days since the last use', count, 14)
      .option('--all', 'remove every image'),
  act: collectImages,
};
