import type { Release } from './types.ts';

export const trixie: Release = {
  name: 'trixie',
  version: '13',
  archives: [
    { suite: 'trixie', beside: '' },
    { suite: 'trixie-updates', beside: '' },
    { suite: 'trixie-security', beside: '-security' },
  ],
  keyring: '/usr/share/keyrings/debian-archive-keyring.gpg',
  // perl: its perl-base has no Time::HiRes, which the harness's programs in a guest use.
  basePackages: ['systemd-sysv', 'openssh-server', 'iproute2', 'kmod', 'dbus', 'procps', 'netbase', 'perl'],
  // The client is only recommended, and recommendations are not installed.
  split: { 'docker.io': ['docker-cli'] },
  intoUsr: ['bin', 'lib', 'lib64', 'sbin'],
  // It offers SSH over VSOCK and AF_UNIX, and fails at each boot where there is no such device.
  maskedGenerators: ['systemd-ssh-generator'],
};
