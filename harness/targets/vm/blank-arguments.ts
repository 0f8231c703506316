import type { Arch, Firmware } from '../../arch/index.ts';
import type { BootFiles } from '../blank.ts';
import { escapeOption, SANDBOX } from './arguments.ts';

/** The ids of a blank machine's devices, by which its boot order is changed, and their places in it at first. */
export const NIC = { id: 'nic0', bootindex: 1000 } as const;
export const DISK = { id: 'disk0', bootindex: 1001 } as const;

/** The inputs of the command line of a blank machine. */
export interface BlankMachineSpec {
  readonly arch: Arch;
  readonly accelerator: 'kvm' | 'tcg';
  readonly memoryBytes: number;
  readonly firmware: Firmware;
  /** Its own copy of the firmware's variables, of the kind `flash`. */
  readonly variables: string;
  /** Of the kind `kexec`. */
  readonly boot?: BootFiles | undefined;
  readonly disk: string;
  readonly consoleFile: string;
  readonly qmpSocket: string;
  readonly lan: { readonly socket: string; readonly mac: string };
}

/**
 * QEMU's argv for a blank machine. It stands still until it is told to run, and stays when its system switches it off: one process
 * for all of its life.
 */
export function blankArguments(spec: BlankMachineSpec): string[] {
  const { qemu } = spec.arch;
  const { suffix, nicOptions } = qemu.virtio;
  const kvm = spec.accelerator === 'kvm';
  return [
    qemu.binary,
    ...['-no-user-config', '-nodefaults', '-display', 'none', '-S', '-no-shutdown'],
    ...['-machine', kvm ? qemu.kvmMachine : qemu.machine],
    ...['-accel', kvm ? 'kvm' : 'tcg,thread=multi', '-cpu', kvm ? 'host' : qemu.cpu],
    ...['-smp', '1', '-m', `${Math.round(spec.memoryBytes / 2 ** 20)}M`],
    ...firmwareArguments(spec),
    ...[
      '-drive',
      `if=none,id=disk,file=${escapeOption(spec.disk)},format=qcow2,cache=unsafe,discard=unmap,werror=report,rerror=report`,
    ],
    ...['-device', `virtio-blk-${suffix},id=${DISK.id},drive=disk,bootindex=${DISK.bootindex}`],
    ...['-netdev', `stream,id=lan,server=off,addr.type=unix,addr.path=${escapeOption(spec.lan.socket)}`],
    ...[
      '-device',
      `virtio-net-${suffix},id=${NIC.id},netdev=lan,mac=${spec.lan.mac},bootindex=${NIC.bootindex}${nicOptions}`,
    ],
    ...['-chardev', `file,id=console,path=${escapeOption(spec.consoleFile)},append=on`, '-serial', 'chardev:console'],
    ...['-qmp', `unix:${spec.qmpSocket},server=on,wait=off`],
    ...SANDBOX,
    ...qemu.args,
  ];
}

function firmwareArguments({ arch, firmware, variables, boot }: BlankMachineSpec): string[] {
  if (firmware.kind === 'flash')
    return [
      ...['-drive', `if=pflash,format=raw,readonly=on,file=${escapeOption(firmware.code)}`],
      ...['-drive', `if=pflash,format=raw,file=${escapeOption(variables)}`],
    ];
  if (!boot) throw new Error(`cannot start a blank machine of ${arch.name}: nothing was made to start it`);
  const append = [`console=${arch.qemu.console}`, 'quiet', 'net.ifnames=0', 'mitigations=off', ...arch.qemu.append];
  return ['-kernel', boot.kernel, '-initrd', boot.initrd, '-append', append.join(' ')];
}
