import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Arch } from '../arch/index.ts';
import { makeFolder } from '../base/files.ts';
import { shellQuote } from '../base/text.ts';
import { SERVICES } from '../guest/service-manager.ts';
import { accountsOf } from './accounts.ts';
import { writeArchive } from './container.ts';
import { fileSteps, type ImageFile, writeContents } from './files.ts';
import { imageConfiguration } from './image-configuration.ts';
import { runScript } from './rootfs.ts';

/** Raised when `buildSystemContainer` makes something else of the same input. */
export const SYSTEM_FORMAT = 1;

/** The file with the image's tag in a cache entry. */
export const TAG_FILE = 'tag';

export interface SystemRequest {
  readonly arch: Arch;
  /** Of the image, without a tag. */
  readonly name: string;
  /** The root file system, a tar file. */
  readonly rootfs: string;
  readonly files: readonly ImageFile[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a container image of a suite's whole system: the content of a virtual machine's disk, with a manager of
 * services in place of systemd. The tag contains the image's own id, so that it always means this image.
 */
export async function buildSystemContainer(request: SystemRequest, folder: string): Promise<void> {
  const { arch, name, rootfs, files, signal } = request;
  const scratch = join(folder, 'scratch');
  const root = join(scratch, 'root');
  const layer = join(scratch, 'layer.tar');
  const contents = join(scratch, 'files');
  makeFolder(root);
  await writeContents(files, contents);
  const q = shellQuote;
  const commands = ['systemctl', 'journalctl'].map(
    (command) => `ln -s ${SERVICES}/client.pl ${q(root)}/usr/local/bin/${command}`,
  );
  const steps = [
    // The engine makes devices.
    `tar -C ${q(root)} -xf ${q(rootfs)} --exclude='./dev/*'`,
    // Keys belong to one run and must not be shared through an image.
    `rm -f ${q(root)}/etc/ssh/ssh_host_*`,
    ...fileSteps(files, { root: q(root), contents, accounts: await accountsOf(rootfs) }),
    ...commands,
    `tar -C ${q(root)} --sort=name --numeric-owner --format=gnu -cf ${q(layer)} .`,
    `rm -rf ${q(root)}`,
  ];
  await runScript(steps, scratch, 'make the image of the container', signal);
  const tag = await writeArchive(
    {
      tag: (id) => `${name}:${arch.name}-${id.slice(0, 12)}`,
      layer,
      config: (diff) => configuration(arch, diff),
      signal,
    },
    scratch,
    folder,
  );
  await writeFile(join(folder, TAG_FILE), tag);
  await rm(scratch, { recursive: true });
}

function configuration(arch: Arch, diff: string): unknown {
  return imageConfiguration(arch, diff, {
    Env: ['LANG=C.UTF-8'],
    Cmd: ['/usr/bin/perl', `${SERVICES}/manager.pl`],
    WorkingDir: '/root',
    Labels: { 'multiarch-harness.image': arch.name },
  });
}
