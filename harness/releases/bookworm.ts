import type { Release } from './types.ts';

export const bookworm: Release = {
  name: 'bookworm',
  version: '12',
  archives: [
    { suite: 'bookworm', beside: '' },
    { suite: 'bookworm-updates', beside: '' },
    { suite: 'bookworm-security', beside: '-security' },
  ],
  keyring: '/usr/share/keyrings/debian-archive-keyring.gpg',
  basePackages: ['systemd-sysv', 'openssh-server', 'iproute2', 'kmod', 'dbus', 'procps', 'netbase'],
  split: {},
  intoUsr: [],
  maskedGenerators: [],
};
