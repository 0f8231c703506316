import { readFile } from 'node:fs/promises';
import { type ArchName, architectures } from '../../arch/index.ts';
import { UnsupportedError } from '../../base/errors.ts';
import type { PlainFile } from '../../images/files.ts';
import { buildPetitboot } from '../../images/petitboot.ts';
import { buildRamdisk } from '../../images/ramdisk.ts';
import type { ImageSettings } from '../../images/settings.ts';
import type { Cell } from '../../matrix/cell.ts';
import { blanksOf, firmwareOf } from '../../matrix/nodes.ts';
import type { BootFiles } from '../../targets/blank.ts';
import type { BuildIo, CommonSettings } from './image.ts';
import { plainFilesOf } from './suite-contents.ts';

type BlankCell = Pick<Cell, 'arch' | 'suite' | 'release'>;

/**
 * The small Linux of each architecture whose blank nodes start from one.
 * @throws UnsupportedError where only the images of a plan may be used, which has none.
 */
export async function bootFilesOf(
  cell: BlankCell,
  settings: CommonSettings,
  io: BuildIo,
): Promise<Map<ArchName, BootFiles>> {
  const made = new Map<ArchName, BootFiles>();
  for (const arch of archsOfBlanks(cell, 'kexec')) {
    if (settings.pins && !settings.pins.optional)
      throw new UnsupportedError(`the images of a plan have nothing that starts blank nodes of ${arch}`);
    made.set(arch, await buildPetitboot({ ...io, arch: architectures[arch], settings: settingsOf(cell, settings) }));
  }
  return made;
}

/** What a cell's blank nodes boot from the network, as files of its other machines. */
export async function ramdiskFiles(cell: BlankCell, settings: CommonSettings, io: BuildIo): Promise<PlainFile[]> {
  const files: PlainFile[] = [];
  for (const { path, packages, without, files: own } of cell.suite.stack.ramdisks)
    for (const arch of archsOfBlanks(cell)) {
      const made = await buildRamdisk(
        { ...io, arch: architectures[arch], settings: settingsOf(cell, settings) },
        { label: cell.suite.name, packages, without, files: await plainFilesOf(cell.suite, own) },
      );
      for (const [name, from] of [
        ['linux', made.kernel],
        ['initrd', made.initrd],
      ] as const)
        files.push({ path: `${path}/${arch}/${name}`, mode: '0644', content: await readFile(from) });
    }
  return files;
}

function settingsOf({ release }: BlankCell, settings: CommonSettings): ImageSettings {
  return { ...settings, release };
}

/** The architectures of blank nodes, each once. @param kind only of those with such firmware. */
function archsOfBlanks(cell: BlankCell, kind?: 'flash' | 'kexec'): ArchName[] {
  const nodes = blanksOf(cell).filter((node) => kind === undefined || firmwareOf(node)?.kind === kind);
  return [...new Set(nodes.map(({ arch }) => arch))];
}
