import { describe, expect, test } from 'vitest';
import { connectionError } from './failure.ts';
import { factsFrom } from './look.ts';

const PRINTED = `machine ppc64le
kernel 6.1.0-40-powerpc64le
vcpus 8
memory 16384000
cpu POWER9, altivec supported
root sudo
systemd yes
virt none
home /home/tester
module ip_vs
`;

describe('factsFrom', () => {
  test('what a machine prints', () => {
    expect(factsFrom(PRINTED, 'p9')).toEqual({
      arch: 'ppc64le',
      accelerator: 'native',
      kernel: '6.1.0-40-powerpc64le',
      cpu: 'POWER9, altivec supported',
      vcpus: 8,
      memoryBytes: 16384000 * 1024,
      asRoot: ['sudo', '-n', '--'],
      systemd: true,
      docker: false,
      modules: ['ip_vs'],
      stateFolder: '/var/lib/multiarch-harness',
    });
  });

  test('a machine that is itself emulated says so, and one without root keeps its notes at home', () => {
    const printed = PRINTED.replace('virt none', 'virt qemu').replace('root sudo\n', '');
    expect(factsFrom(printed, 'p9')).toMatchObject({
      accelerator: 'tcg',
      stateFolder: '/home/tester/.multiarch-harness',
    });
  });

  test.each([
    ['', 'cannot use x: it did not say what it is'],
    ['machine alpha\n', 'cannot use x: its architecture is alpha'],
    ['Welcome!\nmachine \u001b[31mvax\n', 'cannot use x: its architecture is vax'],
    [
      `Welcome to p9!\n\n${PRINTED}`,
      'cannot use x: its shell prints something before the command\'s output: "Welcome to p9!"',
    ],
    [
      'This account is\nnot available.\n',
      'cannot use x: it did not say what it is, and printed "This account is / not available."',
    ],
  ])('%j', (printed, message) => {
    expect(() => factsFrom(printed, 'x')).toThrow(expect.objectContaining({ message }));
  });
});

describe('connectionError', () => {
  test.each([
    [
      '@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nOffending ED25519 key in /home/a/.ssh/known_hosts:3\nHost key verification failed.',
      'cannot use pi4: its host key is not the one that is known',
      'It was expected to be that of /home/a/.ssh/known_hosts:3.',
    ],
    ['Host key verification failed.', 'cannot use pi4: its host key is not known', 'ssh -p 22 a@pi4'],
    [
      'a@pi4: Permission denied (publickey).\nkex_exchange_identification: Connection closed by remote host',
      'cannot use pi4: it does not let us in (a@pi4: Permission denied (publickey).)',
      'ssh-add -l',
    ],
    [
      'ssh: connect to host pi4 port 22: Connection refused',
      'cannot use pi4: it cannot be reached (ssh: connect to host pi4 port 22: Connection refused)',
      'ssh -v -p 22 a@pi4',
    ],
    ['', 'cannot use pi4: it cannot be reached (ssh said nothing)', 'ssh -v'],
  ])('%j', (said, message, hint) => {
    const error = connectionError('pi4', said, ['-p', '22', 'a@pi4']);
    expect(error.message).toBe(message);
    expect(error.hint).toContain(hint);
  });
});
