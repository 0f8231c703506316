import { access, constants, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { type Arch, nativeArch } from '../../arch/index.ts';
import { makeFolder, replaceFile } from '../../base/files.ts';
import { lock } from '../../base/lock.ts';
import { dieWithParent } from '../../base/process.ts';
import { keyOf, listEntries } from '../../images/cache.ts';
import { KERNEL_FILES } from '../../images/kernel.ts';

/** The accelerator that a guest would really use, and why no better one. */
export interface AcceleratorChoice {
  readonly accelerator: 'kvm' | 'tcg';
  readonly why: string;
}

/** Our kernel and initramfs for trying an accelerator. */
export interface TrialKernel {
  readonly kernel: string;
  readonly initrd: string;
}

/** A guest with KVM reports that it is alive after about a second; an emulated one within this time as well. */
const TRIAL_MS = 6_000;

/**
 * Chooses between KVM and TCG. KVM counts only after a guest's kernel has been seen to reach its first program with it:
 * on some machines `/dev/kvm` opens and QEMU aborts, on others firmware runs and a kernel never does. The answer is
 * kept for this boot of the host, this QEMU and this kernel.
 */
export async function chooseAccelerator(
  arch: Arch,
  trial: TrialKernel | undefined,
  cache: string,
): Promise<AcceleratorChoice> {
  const tcg = (why: string): AcceleratorChoice => ({ accelerator: 'tcg', why });
  if (nativeArch()?.name !== arch.name) return tcg(`this host is not ${arch.name}`);
  try {
    await access('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch (error) {
    return tcg(
      (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? 'there is no /dev/kvm'
        : '/dev/kvm may not be opened by this user',
    );
  }
  if (!trial) return tcg('/dev/kvm opens; whether a guest runs with it is tried with the first image');
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
  const version = await execa(arch.qemu.binary, ['--version'], { reject: false, stdin: 'ignore' });
  const memo = join(cache, 'kvm', keyOf({ boot, version: version.stdout, kernel: trial.kernel, initrd: trial.initrd }));
  const known = () =>
    readFile(memo, 'utf8').then(
      (text) => JSON.parse(text) as AcceleratorChoice,
      () => undefined,
    );
  const before = await known();
  if (before) return before;
  // One trial for all cells: several at once would slow each other down.
  await using _trial = await lock(join(cache, 'locks', 'kvm'));
  const meanwhile = await known();
  if (meanwhile) return meanwhile;
  const choice = await tryKvm(arch, trial);
  makeFolder(join(cache, 'kvm'));
  await replaceFile(memo, JSON.stringify(choice));
  return choice;
}

/** The newest cached kernel of an architecture, for a mere check. */
export async function cachedTrialKernel(arch: Arch, cache: string): Promise<TrialKernel | undefined> {
  const { entries } = await listEntries(cache);
  const newest = entries
    .filter((entry) => entry.kind === 'kernel' && (entry.meta.ingredients as { arch?: string }).arch === arch.name)
    .sort((a, b) => (a.meta.createdAt < b.meta.createdAt ? 1 : -1))[0];
  return (
    newest && { kernel: join(newest.folder, KERNEL_FILES.kernel), initrd: join(newest.folder, KERNEL_FILES.initrd) }
  );
}

async function tryKvm(arch: Arch, trial: TrialKernel): Promise<AcceleratorChoice> {
  const [program, ...args] = dieWithParent([
    arch.qemu.binary,
    ...[
      '-no-user-config',
      '-nodefaults',
      '-display',
      'none',
      '-no-reboot',
      '-machine',
      arch.qemu.kvmMachine,
      '-accel',
      'kvm',
      '-cpu',
      'host',
    ],
    ...['-m', '256M', '-kernel', trial.kernel, '-initrd', trial.initrd, '-serial', 'stdio'],
    ...['-append', `console=${arch.qemu.console} quiet harness.probe`],
    ...arch.qemu.args,
  ]);
  const qemu = execa(program!, args, { reject: false, stdin: 'ignore', timeout: TRIAL_MS, forceKillAfterDelay: 500 });
  let alive = false;
  qemu.stdout.on('data', (chunk: Buffer) => {
    alive ||= chunk.toString().includes('harness-init: alive');
    if (alive) qemu.kill('SIGKILL');
  });
  const result = await qemu;
  if (alive) return { accelerator: 'kvm', why: 'a guest has run with it' };
  const said = String(result.stderr).trim().split('\n').at(-1) ?? '';
  const what = result.timedOut
    ? `a guest's kernel did not start with it within ${TRIAL_MS / 1000} s`
    : `QEMU ended: ${said.slice(0, 200)}`;
  return { accelerator: 'tcg', why: `/dev/kvm opens, but ${what}` };
}
