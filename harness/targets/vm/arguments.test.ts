import { expect, test } from 'vitest';
import { architectures, usualArchs } from '../../arch/index.ts';
import { type MachineSpec, qemuArguments } from './arguments.ts';
import { forwardedPorts } from './qemu.ts';

const spec: MachineSpec = {
  arch: architectures.arm64,
  accelerator: 'tcg',
  vcpus: 2,
  memoryBytes: 512 * 2 ** 20,
  kernel: '/c/vmlinuz',
  initrd: '/r/initrd',
  disk: '/runs/a,b/overlay.qcow2',
  consoleFile: '/runs/console.log',
  qmpSocket: '/r/qmp',
  controlSocket: '/r/ctl',
  agentSocket: '/r/agent',
  ports: { 22: 0, 80: 0 },
  memory: 'plain',
  network: false,
  timers: 'coarse',
  counting: false,
};
const optionOf = (argv: readonly string[], option: string) => argv[argv.indexOf(option) + 1];

test('a guest is reached on 127.0.0.1 only, on ports that the kernel chooses, and reaches nothing', () => {
  expect(optionOf(qemuArguments(spec), '-netdev')).toBe(
    'user,id=net,ipv6=off,restrict=on,hostfwd=tcp:127.0.0.1:0-10.0.2.15:22,hostfwd=tcp:127.0.0.1:0-10.0.2.15:80',
  );
  expect(optionOf(qemuArguments({ ...spec, network: true }), '-netdev')).toContain('restrict=off');
});

test('a comma in a path stays in the path', () => {
  const odd = '/runs/a,b c#%/x';
  const argv = qemuArguments({ ...spec, disk: odd, consoleFile: odd, lan: { socket: odd, mac: '52:54:00:00:00:01' } });
  expect(optionOf(argv, '-drive')).toContain('file=/runs/a,,b c#%/x,');
  expect(argv).toContain('file,id=console,path=/runs/a,,b c#%/x');
  expect(argv.join('\n')).toContain('addr.path=/runs/a,,b c#%/x\n');
});

test('machine and CPU are pinned under TCG, and the host’s own under KVM', () => {
  for (const arch of Object.values(architectures)) {
    const tcg = qemuArguments({ ...spec, arch });
    expect([tcg[0], optionOf(tcg, '-machine'), optionOf(tcg, '-cpu')]).toEqual([
      arch.qemu.binary,
      arch.qemu.machine,
      arch.qemu.cpu,
    ]);
    // Of some machines QEMU has one version only.
    if (usualArchs.includes(arch.name)) expect(optionOf(tcg, '-machine')).toMatch(/-7\.2/);
    expect(optionOf(tcg, '-accel')).toBe('tcg,thread=multi');
    const kvm = qemuArguments({ ...spec, arch, accelerator: 'kvm' });
    expect([optionOf(kvm, '-accel'), optionOf(kvm, '-cpu')]).toEqual(['kvm', 'host']);
  }
});

test('every device is attached to the only bus of the machine', () => {
  const lan = { socket: '/r/lan', mac: '52:54:00:00:00:01' };
  for (const arch of Object.values(architectures)) {
    const { suffix, nicOptions } = arch.qemu.virtio;
    const argv = qemuArguments({ ...spec, arch, lan });
    expect(argv.filter((_, index) => argv[index - 1] === '-device')).toEqual([
      `virtio-blk-${suffix},drive=disk`,
      `virtio-net-${suffix},netdev=net${nicOptions}`,
      `virtio-serial-${suffix}`,
      'virtserialport,chardev=agent,name=harness.agent',
      `virtio-net-${suffix},netdev=lan,mac=${lan.mac}${nicOptions}`,
    ]);
  }
});

test('options that help only emulated machines are not used under KVM', () => {
  const append = (more: Partial<MachineSpec>) => optionOf(qemuArguments({ ...spec, ...more }), '-append')!.split(' ');
  expect(append({})).toEqual(expect.arrayContaining(['norandmaps', 'highres=off']));
  expect(append({ timers: 'fine' })).not.toContain('highres=off');
  expect(append({ accelerator: 'kvm' })).not.toContain('highres=off');
  expect(append({ accelerator: 'kvm' })).not.toContain('norandmaps');
});

test('forwarded ports are parsed from the output of QEMU', () => {
  const text = `Hub 0 (net):
  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ
  TCP[HOST_FORWARD]  16       127.0.0.1 43521       10.0.2.15    80     0     0
  TCP[HOST_FORWARD]  15       127.0.0.1 39071       10.0.2.15    22     0     0
`;
  expect(forwardedPorts(text)).toEqual({ 80: 43521, 22: 39071 });
});
