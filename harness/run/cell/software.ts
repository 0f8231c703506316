import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type ArchName, architectures } from '../../arch/index.ts';
import type { Suite } from '../../config/suite.ts';
import type { ImageRequest } from '../../images/build.ts';
import type { PlainFile } from '../../images/files.ts';
import type { ImageSettings } from '../../images/settings.ts';
import {
  type MadeFile,
  makeSoftware,
  resolveSoftware,
  type SoftwareSource,
  type SoftwareTools,
} from '../../images/software.ts';
import { readSource } from '../../source/tree.ts';
import { type SoftwareBuild, softwareOf } from '../../stacks/build.ts';
import { argvOf } from '../../stacks/ready.ts';

/** Bytes that a folder with the source of software may have. */
const SOURCE_BYTES = 512 * 2 ** 20;

type BuildIo = Pick<ImageRequest, 'signal' | 'progress' | 'warn' | 'phase'>;

/**
 * The files of the software that a suite makes from source for an architecture, made or from the cache.
 * @throws StackError when it cannot be made, ConfigError when there is no such source.
 */
export async function makeSoftwareOf(
  suite: Suite,
  arch: ArchName,
  settings: ImageSettings,
  io: BuildIo,
): Promise<MadeFile[]> {
  const files: MadeFile[] = [];
  // One after the other: each takes all processors.
  for (const build of softwareOf(suite)) {
    const tools = toolsOf(suite, build, arch, settings, io);
    files.push(...(await makeSoftware({ ...tools, source: await read(tools.source) })));
  }
  return files;
}

/** Looks up the packages that a suite's software needs. @throws UnknownPackagesError before anything is built. */
export async function checkSoftware(suite: Suite, arch: ArchName, settings: ImageSettings, io: BuildIo): Promise<void> {
  for (const build of softwareOf(suite)) await resolveSoftware(toolsOf(suite, build, arch, settings, io));
}

function toolsOf(
  suite: Suite,
  build: SoftwareBuild,
  arch: ArchName,
  settings: ImageSettings,
  io: BuildIo,
): SoftwareTools {
  const { source, release, memory, needs, cross, prepare, run, artifacts, emulated } = build;
  return {
    ...io,
    settings: {
      ...settings,
      release: release ?? settings.release,
      buildMemoryBytes: memory === undefined ? settings.buildMemoryBytes : memory * 2 ** 20,
    },
    arch: architectures[arch],
    suite: suite.name,
    source: source.startsWith('.') ? { folder: resolve(suite.folder, source) } : { debian: source },
    needs,
    cross,
    prepare: prepare.map(argvOf),
    commands: run.map(argvOf),
    artifacts,
    emulated,
  };
}

async function read(source: SoftwareTools['source']): Promise<SoftwareSource> {
  if ('debian' in source) return source;
  const { folder, entries } = await readSource(source.folder, SOURCE_BYTES);
  return { folder, entries };
}

/** Files that were made, with what is in them. */
export function contentsOf(files: readonly MadeFile[]): Promise<PlainFile[]> {
  return Promise.all(files.map(async ({ path, mode, file }) => ({ path, mode, content: await readFile(file) })));
}
