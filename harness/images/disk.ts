import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '../base/process.ts';
import { shellQuote } from '../base/text.ts';
import { GUEST_FILES, MASKED_UNITS } from '../guest/init.ts';
import { runScript } from './rootfs.ts';

/** A file of a suite in its image. */
export interface ImageFile {
  readonly path: string;
  readonly content: Uint8Array;
  /** Permission bits, octal: `0644`. */
  readonly mode: string;
}

export interface DiskRequest {
  /** The root file system, a tar file. */
  readonly rootfs: string;
  /** The kernel modules, a tar file. */
  readonly modules: string;
  readonly files: readonly ImageFile[];
  /** systemd units to enable. */
  readonly services: readonly string[];
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
  const extra = join(scratch, 'files');
  await mkdir(root, { recursive: true });
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
    ...(await fileSteps([...guestFiles(), ...request.files], root, extra)),
    ...enable(root, 'harness-ssh.service', 'sysinit.target'),
    ...enable(root, 'harness-agent.service', 'sysinit.target'),
    ...request.services.flatMap((service) =>
      enable(root, service.includes('.') ? service : `${service}.service`, 'multi-user.target'),
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

function guestFiles(): ImageFile[] {
  return GUEST_FILES.map((file) => ({ path: file.path, content: Buffer.from(file.content), mode: '0644' }));
}

/** Copies files without following a link that a package may have put in place of a folder. */
export async function fileSteps(files: readonly ImageFile[], root: string, extra: string): Promise<string[]> {
  await mkdir(extra, { recursive: true });
  const steps: string[] = [];
  for (const [index, file] of files.entries()) {
    const source = join(extra, String(index));
    await writeFile(source, file.content);
    const destination = join(root, file.path);
    steps.push(
      `mkdir -p ${shellQuote(dirname(destination))}`,
      `rm -f ${shellQuote(destination)}`,
      `install -m ${file.mode} ${shellQuote(source)} ${shellQuote(destination)}`,
    );
  }
  return steps;
}

/** Enables a unit as `systemctl enable` would, without needing systemd on this machine. */
function enable(root: string, unit: string, target: string): string[] {
  const wants = join(root, 'etc/systemd/system', `${target}.wants`);
  const r = shellQuote(root);
  const u = shellQuote(unit);
  return [
    `mkdir -p ${shellQuote(wants)}`,
    `if [ -e ${r}/etc/systemd/system/${u} ]; then ln -sf /etc/systemd/system/${u} ${shellQuote(join(wants, unit))}; ` +
      `elif [ -e ${r}/lib/systemd/system/${u} ]; then ln -sf /lib/systemd/system/${u} ${shellQuote(join(wants, unit))}; ` +
      `else echo "no unit ${unit}: neither a package nor a file of the stack brings it" >&2; exit 1; fi`,
  ];
}
