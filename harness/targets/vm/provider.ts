import { statSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { type Arch, architectures } from '../../arch/index.ts';
import { lacking } from '../lacking.ts';
import type { Availability, Needs, TargetProvider, TargetSpec } from '../target.ts';
import { cachedTrialKernel, chooseAccelerator } from './accelerator.ts';
import { qemuArguments } from './arguments.ts';
import { makeBlank, probeFirmware } from './blank.ts';
import { bootMachine, type MachineKind, resumeMachine } from './lifecycle.ts';
import { reconnectVm, VM_CAPABILITIES } from './machine.ts';
import { SNAPSHOT_FORMAT } from './snapshot.ts';
import { type VmSpec, vmSpec } from './spec.ts';

/**
 * QEMU machines: emulated, or with KVM if it works.
 * @param qemu a build of QEMU other than the installed one: its binary, or the folder of its binaries.
 */
export function vmProvider(cache: string, qemu?: string): TargetProvider {
  const own = (spec: TargetSpec): VmSpec => vmSpec({ ...spec, arch: withBinary(spec.arch, qemu) });
  return {
    kind: 'vm',
    counts: true,
    probe: (arch, needs) => probe(withBinary(architectures[arch], qemu), cache, needs),
    acquire: async (spec, io) => bootMachine(own(spec), await machineOf(own(spec), cache), io),
    snapshots: {
      identity: (spec) => snapshotIdentity(own(spec), cache),
      resume: async (spec, snapshot, io, together) =>
        resumeMachine(own(spec), await machineOf(own(spec), cache), snapshot, io, together),
    },
    blanks: {
      probe: async (arch, firmware) => {
        const own = withBinary(arch, qemu);
        return probeFirmware(own, firmware, await probe(own, cache));
      },
      make: async (spec, io) => {
        const arch = withBinary(spec.arch, qemu);
        const trial = await cachedTrialKernel(arch, cache);
        return makeBlank({ ...spec, arch }, await chooseAccelerator(arch, trial, cache), io);
      },
    },
    reconnect: reconnectVm,
  };
}

/** An architecture whose machines another build of QEMU runs. */
function withBinary(arch: Arch, qemu: string | undefined): Arch {
  if (qemu === undefined) return arch;
  const isFolder = statSync(qemu, { throwIfNoEntry: false })?.isDirectory() === true;
  const binary = isFolder ? join(qemu, arch.qemu.binary) : qemu;
  return { ...arch, qemu: { ...arch.qemu, binary } };
}

async function probe(arch: Arch, cache: string, needs?: Needs): Promise<Availability> {
  const lacks = lacking(needs, {
    kind: 'vm',
    capabilities: VM_CAPABILITIES,
    installs: ['docker.io'],
    // Debian's kernel has them as modules; a name that it does not know is found while the image is built.
    hasModule: () => true,
  });
  if (lacks) return lacks;
  const version = await qemuVersion(arch.qemu.binary);
  if (version === undefined) {
    return {
      state: 'missing',
      what: `${arch.qemu.binary} (package ${arch.qemu.package})`,
      install: `apt-get install -y --no-install-recommends ${arch.qemu.package}`,
    };
  }
  const choice = await chooseAccelerator(arch, await cachedTrialKernel(arch, cache), cache);
  const resumed = [1, 2].map((vcpus) => whyNotResumed({ arch, vcpus }, choice.accelerator));
  const detail = [`QEMU ${version.split(' ')[0]}`, choice.why, ...new Set(resumed.filter((why) => why !== undefined))];
  return { state: 'usable', accelerator: choice.accelerator, detail: detail.join(', ') };
}

/** `7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)`: the build, not only the version; undefined when there is none. */
async function qemuVersion(binary: string): Promise<string | undefined> {
  const result = await execa(binary, ['--version'], { reject: false, stdin: 'ignore' });
  return /version (.+)/.exec(result.stdout ?? '')?.[1];
}

/** The kind of machine on this host. */
async function machineOf(spec: VmSpec, cache: string): Promise<MachineKind> {
  const { accelerator } = spec.counting
    ? { accelerator: 'tcg' as const }
    : await chooseAccelerator(spec.arch, spec.image, cache);
  return { accelerator, version: (await qemuVersion(spec.arch.qemu.binary)) ?? 'of an unknown version' };
}

/** Why a machine cannot be resumed from a snapshot; undefined if it can. */
export function whyNotResumed(
  { arch, vcpus }: Pick<VmSpec, 'arch' | 'vcpus'>,
  accelerator: MachineKind['accelerator'],
): string | undefined {
  const { noSnapshots, lostTimer } = arch.qemu;
  if (noSnapshots !== undefined) return `no snapshots: ${noSnapshots}`;
  if (accelerator === 'tcg' && lostTimer !== undefined && vcpus > 1)
    return `a ${arch.name} machine with more than one vCPU does not come back from a snapshot`;
  return undefined;
}

async function snapshotIdentity(
  spec: VmSpec,
  cache: string,
): Promise<{ readonly identity: unknown } | { readonly why: string }> {
  const { accelerator, version } = await machineOf(spec, cache);
  const why = whyNotResumed(spec, accelerator);
  if (why !== undefined) return { why };
  // The command line without everything that belongs to one run only.
  const places = {
    kernel: '',
    initrd: '',
    disk: '',
    consoleFile: '',
    qmpSocket: '',
    controlSocket: '',
    agentSocket: '',
  };
  const ports = Object.fromEntries([22, ...spec.ports].map((port) => [port, 0]));
  const lan = spec.lan && { ...spec.lan, socket: '' };
  const argv = qemuArguments({ ...spec, ...places, lan, accelerator, ports, memory: 'shared' });
  return {
    identity: {
      format: SNAPSHOT_FORMAT,
      image: spec.image.key,
      argv,
      lan: spec.lan && [spec.lan.address, ...spec.lan.hosts],
      version,
      // Under KVM the guest depends on this host's processor; under TCG its measurements are valid on this host only.
      host: cpus()[0]?.model,
    },
  };
}
