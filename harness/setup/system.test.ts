import { expect, test } from 'vitest';
import { architectures, usualArchs } from '../arch/index.ts';
import { distributionFrom } from './distribution.mjs';
import { installLine, installSystem, missingPackages, privilegeOf } from './system.mjs';
import { packageName, packagesFor, SYSTEM_PACKAGES } from './system-packages.mjs';

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

const names = (text: string, tests = false) =>
  packagesFor(tests, distributionFrom(text)).flatMap((entry) => entry.package.split(' '));
const BOOKWORM = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n';

test('nothing there: everything is missing, each package once', () => {
  const all = missingPackages({
    path: '',
    exists: () => false,
    packages: packagesFor(true, distributionFrom(BOOKWORM)),
  });
  expect(all).toEqual(names(BOOKWORM, true));
  expect(new Set(all).size).toBe(all.length);
});

test('an engine, a browser, BMCs and a cluster are installed for the tests only', () => {
  expect(names(BOOKWORM, true)).toEqual([
    ...names(BOOKWORM),
    'docker.io',
    'chromium',
    'ipmitool',
    'openipmi',
    'python3-sushy',
    ...['slurmctld', 'slurmd', 'slurm-client', 'munge', 'docker-registry'],
  ]);
});

const OTHERWISE = [
  'qemu-user-static',
  'qemu-user-binfmt',
  'docker-compose',
  'docker-compose-v2',
  'docker.io',
  'docker-cli',
  'chromium',
  'chromium-browser',
];
test.each([
  ['Debian 12', BOOKWORM, ['qemu-user-static', 'docker-compose', 'docker.io', 'chromium']],
  [
    'Debian 13',
    'ID=debian\nVERSION_ID="13"',
    ['qemu-user-binfmt', 'docker-compose', 'docker.io', 'docker-cli', 'chromium'],
  ],
  [
    'Debian testing',
    'NAME="Debian GNU/Linux"\nID=debian\n',
    ['qemu-user-binfmt', 'docker-compose', 'docker.io', 'docker-cli', 'chromium'],
  ],
  [
    'Raspberry Pi OS',
    'ID=raspbian\nID_LIKE=debian\nVERSION_ID="12"',
    ['qemu-user-static', 'docker-compose', 'docker.io', 'chromium'],
  ],
  [
    'Ubuntu 24.04',
    'VERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian',
    ['qemu-user-static', 'docker-compose-v2', 'docker.io', 'chromium-browser'],
  ],
  [
    'like Ubuntu',
    "ID=pop\nID_LIKE='ubuntu debian'\nVERSION_ID='24.04'",
    ['qemu-user-static', 'docker-compose-v2', 'docker.io', 'chromium-browser'],
  ],
  ['no such file', '', ['qemu-user-binfmt', 'docker-compose', 'docker.io', 'docker-cli', 'chromium']],
])('the names of %s', (_name, text, expected) => {
  expect(names(text, true).filter((name) => OTHERWISE.includes(name))).toEqual(expected);
});

test('what a distribution calls a package of the list', () => {
  const trixie = { family: 'debian', version: 13 } as const;
  expect(packageName('qemu-user-static', trixie)).toBe('qemu-user-binfmt');
  expect(packageName('docker.io', trixie)).toBe('docker.io docker-cli');
  expect(packageName('kmod', trixie)).toBe('kmod');
  expect(packageName('docker-compose', { family: 'ubuntu', version: 24.04 })).toBe('docker-compose-v2');
  expect(() => packageName('emacs', trixie)).toThrow('cannot name the package emacs');
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

test('the set-up installs the machines of the usual architectures, and of no other', () => {
  const listed = SYSTEM_PACKAGES.filter(({ package: name }) => name.startsWith('qemu-system-'));
  const usual = usualArchs.map((name) => architectures[name].qemu);
  expect(listed).toEqual(usual.map(({ package: name, binary }) => ({ package: name, programs: [binary] })));
});
