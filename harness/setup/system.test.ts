import { expect, test } from 'vitest';
import { installLine, installSystem, missingPackages, privilegeOf } from './system.mjs';
import { packagesFor, SYSTEM_PACKAGES } from './system-packages.mjs';

const packages = [
  { package: 'qemu-system-x86', programs: ['qemu-system-x86_64'] },
  { package: 'kmod', programs: ['depmod', 'modprobe'] },
  { package: 'keyring', anyFile: ['/keys/a.gpg', '/keys/a.pgp'] },
];

function missing(...files: string[]): string[] {
  return missingPackages({ path: '/opt/qemu/bin:/usr/bin', exists: (file) => files.includes(file), packages });
}

test('a program counts wherever the PATH or an sbin folder has it', () => {
  expect(missing('/opt/qemu/bin/qemu-system-x86_64', '/sbin/depmod', '/usr/sbin/modprobe', '/keys/a.pgp')).toEqual([]);
});

test('a package is missing when one of its programs is', () => {
  expect(missing('/usr/bin/depmod', '/keys/a.gpg')).toEqual(['qemu-system-x86', 'kmod']);
});

test('nothing there: everything is missing, each package once', () => {
  const all = missingPackages({ path: '', exists: () => false });
  expect(all).toEqual(SYSTEM_PACKAGES.map((entry) => entry.package));
  expect(new Set(all).size).toBe(all.length);
});

test('an engine is installed for the tests only', () => {
  const names = (tests: boolean) => packagesFor(tests).map((entry) => entry.package);
  expect(names(true)).toEqual([...names(false), 'docker.io']);
});

/** A machine on which these commands succeed. */
const machine =
  (...works: string[]) =>
  (program: string, args: string[]) =>
    works.includes([program, ...args].join(' '));
const apt = 'apt-get --version';

test.each([
  ['root', { uid: 0, isTty: false, runs: machine(apt) }, { how: 'direct' }],
  [
    'sudo without a password',
    { uid: 1000, isTty: false, runs: machine(apt, 'sudo --version', 'sudo -n true') },
    { how: 'sudo', asks: false },
  ],
  [
    'sudo with a password, on a terminal',
    { uid: 1000, isTty: true, runs: machine(apt, 'sudo --version') },
    { how: 'sudo', asks: true },
  ],
  [
    'sudo with a password, nobody there',
    { uid: 1000, isTty: false, runs: machine(apt, 'sudo --version') },
    { how: 'never', why: 'you are not root, and sudo would ask for a password' },
  ],
  [
    'no sudo',
    { uid: 1000, isTty: true, runs: machine(apt) },
    { how: 'never', why: 'you are not root and there is no sudo' },
  ],
  ['another system', { uid: 0, isTty: true, runs: machine() }, { how: 'never', why: 'this machine has no apt-get' }],
] as const)('who may install: %s', (_name, user, expected) => {
  expect(privilegeOf(user)).toEqual(expected);
});

test('the line to type', () => {
  expect(installLine(['kmod', 'zstd'], false)).toBe('sudo apt-get install -y --no-install-recommends kmod zstd');
  expect(installLine(['kmod'], true)).toBe('apt-get install -y --no-install-recommends kmod');
});

test('nobody may install: exit code 2 and the exact line', () => {
  const never = { how: 'never', why: 'you are not root and there is no sudo' } as const;
  expect(() => installSystem(['kmod', 'zstd'], never, () => [])).toThrow(
    expect.objectContaining({
      code: 2,
      message:
        'cannot install the missing packages: you are not root and there is no sudo\n' +
        '  missing: kmod zstd\n' +
        '  next: sudo apt-get install -y --no-install-recommends kmod zstd',
    }),
  );
});
