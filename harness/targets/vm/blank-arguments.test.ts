import { expect, test } from 'vitest';
import { type ArchName, architectures } from '../../arch/index.ts';
import { type BlankMachineSpec, blankArguments } from './blank-arguments.ts';

const spec = (name: ArchName): BlankMachineSpec => ({
  arch: architectures[name],
  accelerator: 'tcg',
  memoryBytes: 2 ** 30,
  firmware: architectures[name].qemu.firmware[0]!,
  variables: '/runs/a,b/variables.fd',
  boot: { kernel: '/c/linux', initrd: '/c/initrd' },
  disk: '/runs/a,b/disk.qcow2',
  consoleFile: '/runs/console.log',
  qmpSocket: '/r/qmp',
  lan: { socket: '/r/lan', mac: '52:54:00:77:00:0c' },
});

test.each(['amd64', 'arm64'] as const)('a machine of %s starts from its own copy of the firmware', (name) => {
  const argv = blankArguments(spec(name));
  expect(argv.filter((word) => word.startsWith('if=pflash'))).toEqual([
    expect.stringMatching(/^if=pflash,format=raw,readonly=on,file=\/usr\/share\/.*CODE.*\.fd$/),
    'if=pflash,format=raw,file=/runs/a,,b/variables.fd',
  ]);
  expect(argv).not.toContain('-kernel');
});

test('a machine of ppc64le starts from a kernel', () => {
  const argv = blankArguments(spec('ppc64le'));
  expect(argv.slice(argv.indexOf('-kernel'), argv.indexOf('-append') + 2)).toEqual([
    ...['-kernel', '/c/linux', '-initrd', '/c/initrd'],
    ...['-append', 'console=hvc0 quiet net.ifnames=0 mitigations=off'],
  ]);
  expect(() => blankArguments({ ...spec('ppc64le'), boot: undefined })).toThrow('nothing was made to start it');
});

test('it waits to be switched on, outlives a shutdown, and boots from the network before the disk', () => {
  const argv = blankArguments(spec('amd64'));
  expect(argv).toEqual(expect.arrayContaining(['-S', '-no-shutdown']));
  const places = argv.flatMap((word) => /id=(\w+),.*bootindex=(\d+)/.exec(word)?.slice(1) ?? []);
  expect(places).toEqual(['disk0', '1001', 'nic0', '1000']);
});
