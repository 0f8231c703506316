import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { makeFolder } from '../base/files.ts';
import { run } from '../base/process.ts';
import { shellQuote } from '../base/text.ts';
import { GUEST_FILES, MASKED_UNITS } from '../guest/init.ts';
import type { Accounts } from './accounts.ts';
import { fileSteps, type ImageFile, type PlainFile, writeContents } from './files.ts';
import { runScript } from './rootfs.ts';

/** systemd units, and whether they start by themselves. */
export interface UnitStates {
  readonly enabled: readonly string[];
  readonly disabled: readonly string[];
}

export interface DiskRequest {
  /** The root file system, a tar file. */
  readonly rootfs: string;
  /** The kernel modules, a tar file. */
  readonly modules: string;
  readonly files: readonly ImageFile[];
  /** The accounts that may own them. */
  readonly accounts: Accounts;
  readonly services: UnitStates;
  /** Paths of units that are not on the disk yet when units are enabled: a machine's first boot brings them. */
  readonly ownUnits: readonly string[];
  /** Packages that the machine has to configure before services are started. */
  readonly unconfigured: readonly string[];
  /** systemd's generators to mask. */
  readonly maskedGenerators: readonly string[];
  readonly sizeBytes: number;
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
}

/** The name of the disk in a cache entry. */
export const DISK_FILE = 'disk.qcow2';

/** The boot targets of a machine: with packages to configure it starts only as far as that needs, without services. */
const FIRST_TARGET = 'basic.target';
export const LAST_TARGET = 'multi-user.target';

/** Makes a qcow2 disk: the root file system, kernel modules, the suite's files, its services enabled. */
export async function buildDisk(request: DiskRequest): Promise<void> {
  const { folder, signal } = request;
  const scratch = join(folder, 'scratch');
  const root = join(scratch, 'root');
  const raw = join(scratch, 'disk.raw');
  const contents = join(scratch, 'files');
  const files = [...guestFiles(), ...request.files];
  makeFolder(root);
  await writeContents(files, contents);
  const q = shellQuote;
  const steps = [
    // The guest's kernel makes device nodes; a user namespace may not.
    `tar -C ${q(root)} -xf ${q(request.rootfs)} --exclude='./dev/*'`,
    `tar -C ${q(root)} --keep-directory-symlink -xf ${q(request.modules)}`,
    // Keys belong to one run and must not be shared through an image.
    `rm -f ${q(root)}/etc/ssh/ssh_host_*`,
    `ln -sf /lib/systemd/system/${request.unconfigured.length > 0 ? FIRST_TARGET : LAST_TARGET} ${q(root)}/etc/systemd/system/default.target`,
    ...MASKED_UNITS.map((unit) => `ln -sf /dev/null ${q(join(root, 'etc/systemd/system', unit))}`),
    `mkdir -p ${q(root)}/etc/systemd/system-generators`,
    ...request.maskedGenerators.map(
      (name) => `ln -sf /dev/null ${q(join(root, 'etc/systemd/system-generators', name))}`,
    ),
    // kmod's link to the empty /etc/modules would make every boot load nothing; a suite may put real files here.
    `rm -f ${q(root)}/etc/modules-load.d/modules.conf`,
    ...fileSteps(files, { root: q(root), contents, accounts: request.accounts }),
    ...enable(root, 'harness-ssh.service', 'sysinit.target'),
    ...enable(root, 'harness-agent.service', 'sysinit.target'),
    ...request.services.disabled.flatMap((service) => disable(root, fullName(service))),
    ...request.services.enabled.flatMap((service) =>
      enable(root, fullName(service), 'multi-user.target', request.ownUnits),
    ),
    // Everything of /usr is in place: without these stamps systemd updates users and caches at boot.
    `touch ${q(root)}/etc/.updated ${q(root)}/var/.updated`,
    `truncate -s ${request.sizeBytes} ${q(raw)}`,
    // Without lazy initialisation the guest's kernel has nothing left to write behind a benchmark's back.
    `mke2fs -q -t ext4 -L root -m 0 -E lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0 -O ^metadata_csum -d ${q(root)} ${q(raw)}`,
    `rm -rf ${q(root)}`,
  ];
  await runScript(steps, scratch, 'make the disk', signal);
  await run(['qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', raw, join(folder, DISK_FILE)], {
    purpose: 'convert the disk to qcow2',
    ...(signal ? { cancelSignal: signal } : {}),
  });
  await rm(scratch, { recursive: true, force: true });
}

function guestFiles(): PlainFile[] {
  return GUEST_FILES.map((file) => ({ path: file.path, content: Buffer.from(file.content), mode: '0644' }));
}

/** Enables a unit as `systemctl enable` would, without needing systemd on this machine. */
function enable(root: string, unit: string, target: string, own: readonly string[] = []): string[] {
  const wants = join(root, 'etc/systemd/system', `${target}.wants`);
  const r = shellQuote(root);
  const u = shellQuote(unit);
  const brought = own.find((path) => basename(path) === unit);
  if (brought !== undefined)
    return [`mkdir -p ${shellQuote(wants)}`, `ln -sf ${shellQuote(brought)} ${shellQuote(join(wants, unit))}`];
  return [
    `mkdir -p ${shellQuote(wants)}`,
    `if [ -e ${r}/etc/systemd/system/${u} ]; then ln -sf /etc/systemd/system/${u} ${shellQuote(join(wants, unit))}; ` +
      `elif [ -e ${r}/lib/systemd/system/${u} ]; then ln -sf /lib/systemd/system/${u} ${shellQuote(join(wants, unit))}; ` +
      `else echo "no unit ${unit}: neither a package nor a file of the stack brings it" >&2; exit 1; fi`,
  ];
}

/** Disables a unit as `systemctl disable` would: it starts when something asks for it, and not before. */
function disable(root: string, unit: string): string[] {
  const r = shellQuote(root);
  const u = shellQuote(unit);
  const script = shellQuote(unit.replace(/\.service$/, ''));
  const folders = ['etc/systemd/system', 'lib/systemd/system'].map((folder) => `[ -e ${r}/${folder}/${u} ]`);
  return [
    `${folders.join(' || ')} || [ -e ${r}/etc/init.d/${script} ] || { echo "no unit ${unit}: no package of the stack brings it" >&2; exit 1; }`,
    `rm -f ${r}/etc/systemd/system/*.wants/${u} ${r}/etc/systemd/system/*.requires/${u}`,
    // Debian's `systemctl enable` looks for one of these to turn around, and fails where there is none.
    `for link in ${r}/etc/rc?.d/S??${script}; do if [ -L "$link" ]; then mv "$link" "\${link%/*}/K01"${script}; fi; done`,
  ];
}

function fullName(service: string): string {
  return service.includes('.') ? service : `${service}.service`;
}
