import type { Arch } from '../../arch/index.ts';

/** The inputs of QEMU's command line. */
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
  /** Behind the guest's virtio-serial port `harness.agent`. */
  readonly agentSocket: string;
  /** Port of the guest to port on 127.0.0.1; 0: the kernel chooses one. */
  readonly ports: Readonly<Record<string, number>>;
  /**
   * `plain`: QEMU's own. `shared`: memory that can be saved. A path: the memory of a snapshot, mapped privately; QEMU then
   * waits for the rest of the machine's state.
   */
  readonly memory: 'plain' | 'shared' | { readonly file: string };
  /** A cable to the switch of the guest's cluster. */
  readonly lan?: { readonly socket: string; readonly mac: string } | undefined;
  /** Whether the guest may open connections to the outside. */
  readonly network: boolean;
  /** TCG only: `coarse` timers go off at the kernel's tick. */
  readonly timers: 'coarse' | 'fine';
  /** TCG only: the guest's clock counts its instructions, a nanosecond each. */
  readonly counting: boolean;
}

/** An emulator is not a security boundary: minimise what a guest that breaks out can do. */
export const SANDBOX = ['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'] as const;

/** QEMU's argv for a machine. Pure: the same spec gives the same machine. */
export function qemuArguments(spec: MachineSpec): string[] {
  const { qemu } = spec.arch;
  const { suffix, nicOptions } = qemu.virtio;
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
    // TCG caches translated code by guest address: with random addresses each start of a program is translated again,
    // which costs four times as much as running it (docs/performance.md).
    ...(kvm ? [] : ['norandmaps']),
    // Go's runtime sleeps for 20 microseconds at a time while anything runs. Each of these timers interrupts the emulator
    // and wakes its other thread: a third of what starting a container takes (docs/performance.md).
    ...(kvm || spec.timers === 'fine' ? [] : ['highres=off']),
    ...qemu.append,
  ];
  const forwards = Object.entries(spec.ports)
    .map(([guest, host]) => `,hostfwd=tcp:127.0.0.1:${host}-10.0.2.15:${guest}`)
    .join('');
  const machine = kvm ? qemu.kvmMachine : qemu.machine;
  const size = `${Math.round(spec.memoryBytes / 2 ** 20)}M`;
  return [
    qemu.binary,
    ...['-no-user-config', '-nodefaults', '-display', 'none'],
    ...['-machine', spec.memory === 'plain' ? machine : `${machine},memory-backend=memory`],
    ...memoryBackend(spec.memory, size),
    // Counting goes with one thread only. Without sleep an idle guest is at its next timer at once, however long that
    // would take here; its calendar has to follow the same clock.
    ...(spec.counting
      ? ['-accel', 'tcg,thread=single', '-icount', 'shift=0,sleep=off', '-rtc', 'clock=vm']
      : ['-accel', kvm ? 'kvm' : 'tcg,thread=multi']),
    ...['-cpu', kvm ? 'host' : qemu.cpu],
    ...['-smp', String(spec.vcpus), '-m', size],
    ...['-kernel', spec.kernel, '-initrd', spec.initrd, '-append', append.join(' ')],
    // A full disk of this host must not pause the guest, which looks like a hang: report it, and we say what it was.
    ...[
      '-drive',
      `if=none,id=disk,file=${escapeOption(spec.disk)},format=qcow2,cache=unsafe,discard=unmap,werror=report,rerror=report`,
    ],
    ...['-device', `virtio-blk-${suffix},drive=disk`],
    ...['-netdev', `user,id=net,ipv6=off,restrict=${spec.network ? 'off' : 'on'}${forwards}`],
    ...['-device', `virtio-net-${suffix},netdev=net${nicOptions}`],
    ...[
      '-device',
      `virtio-serial-${suffix}`,
      '-chardev',
      `socket,id=agent,path=${spec.agentSocket},server=on,wait=off`,
    ],
    ...['-device', 'virtserialport,chardev=agent,name=harness.agent'],
    ...(spec.lan
      ? [
          ...['-netdev', `stream,id=lan,server=off,addr.type=unix,addr.path=${escapeOption(spec.lan.socket)}`],
          ...['-device', `virtio-net-${suffix},netdev=lan,mac=${spec.lan.mac}${nicOptions}`],
        ]
      : []),
    ...['-chardev', `file,id=console,path=${escapeOption(spec.consoleFile)}`, '-serial', 'chardev:console'],
    ...['-qmp', `unix:${spec.qmpSocket},server=on,wait=off`, '-qmp', `unix:${spec.controlSocket},server=on,wait=off`],
    ...SANDBOX,
    ...qemu.args,
  ];
}

function memoryBackend(memory: MachineSpec['memory'], size: string): string[] {
  if (memory === 'plain') return [];
  if (memory === 'shared') return ['-object', `memory-backend-memfd,id=memory,size=${size},share=on`];
  const file = escapeOption(memory.file);
  return [
    ...['-object', `memory-backend-file,id=memory,size=${size},share=off,mem-path=${file}`],
    ...['-incoming', 'defer'],
  ];
}

/** A comma separates QEMU's options; in a value it is doubled. */
export function escapeOption(value: string): string {
  return value.replaceAll(',', ',,');
}
