import type { Arch } from '../../arch/index.ts';

/** Everything that QEMU's command line is made of. */
export interface MachineSpec {
  readonly arch: Arch;
  readonly accelerator: 'kvm' | 'tcg';
  readonly vcpus: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly initrd: string;
  readonly disk: string;
  readonly consoleFile: string;
  readonly qmpSocket: string;
  readonly controlSocket: string;
  /** Ports of the guest, forwarded from ports of 127.0.0.1 that the kernel chooses. */
  readonly ports: readonly number[];
  /** Whether the guest may open connections to the outside. */
  readonly network: boolean;
}

/** QEMU's argv for a machine. Pure: the same spec gives the same machine. */
export function qemuArguments(spec: MachineSpec): string[] {
  const { qemu } = spec.arch;
  const kvm = spec.accelerator === 'kvm';
  const append = [
    `console=${qemu.console}`,
    'root=/dev/vda',
    'quiet',
    'net.ifnames=0',
    'mitigations=off',
    'random.trust_cpu=on',
    'apparmor=0',
    'selinux=0',
    'systemd.show_status=auto',
    'systemd.gpt_auto=0',
    ...qemu.append,
  ];
  const forwards = spec.ports.map((port) => `,hostfwd=tcp:127.0.0.1:0-10.0.2.15:${port}`).join('');
  return [
    qemu.binary,
    ...['-no-user-config', '-nodefaults', '-display', 'none'],
    ...['-machine', kvm ? qemu.kvmMachine : qemu.machine],
    ...['-accel', kvm ? 'kvm' : 'tcg,thread=multi'],
    ...['-cpu', kvm ? 'host' : qemu.cpu],
    ...['-smp', String(spec.vcpus), '-m', `${Math.round(spec.memoryBytes / 2 ** 20)}M`],
    ...['-kernel', spec.kernel, '-initrd', spec.initrd, '-append', append.join(' ')],
    // A full disk of this host must not pause the guest, which looks like a hang: report it, and we say what it was.
    ...[
      '-drive',
      `if=none,id=disk,file=${escapeOption(spec.disk)},format=qcow2,cache=unsafe,discard=unmap,werror=report,rerror=report`,
    ],
    ...['-device', `${qemu.disk},drive=disk`],
    ...['-netdev', `user,id=net,ipv6=off,restrict=${spec.network ? 'off' : 'on'}${forwards}`],
    ...['-device', `${qemu.nic},netdev=net,romfile=`],
    ...['-serial', `file:${spec.consoleFile}`],
    ...['-qmp', `unix:${spec.qmpSocket},server=on,wait=off`, '-qmp', `unix:${spec.controlSocket},server=on,wait=off`],
    // An emulator is no security boundary: leave a guest that breaks out as little as possible.
    ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
    ...qemu.args,
  ];
}

/** A comma separates QEMU's options; in a value it is doubled. */
function escapeOption(value: string): string {
  return value.replaceAll(',', ',,');
}
