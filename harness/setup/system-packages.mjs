/**
 * What the harness starts on this machine, and the Debian or Ubuntu package that has it. A package counts as there when
 * everything it is wanted for is there, so a QEMU built by hand in /usr/local is as good as the packaged one.
 *
 * A name without a slash is looked for on the PATH and in the sbin folders; several files mean any one of them.
 *
 * @typedef {{ package: string, programs?: string[], anyFile?: string[] }} SystemPackage
 * @type {readonly SystemPackage[]}
 */
export const SYSTEM_PACKAGES = [
  // The three machines.
  { package: 'qemu-system-x86', programs: ['qemu-system-x86_64'] },
  { package: 'qemu-system-arm', programs: ['qemu-system-aarch64'] },
  { package: 'qemu-system-ppc', programs: ['qemu-system-ppc64'] },
  { package: 'qemu-utils', programs: ['qemu-img'] },
  // Maintainer scripts of a foreign architecture while an image is built.
  {
    package: 'qemu-user-static',
    programs: ['qemu-x86_64-static', 'qemu-aarch64-static', 'qemu-ppc64le-static'],
  },
  // Images: bootstrap, kernel modules, file system. mmdebstrap only recommends arch-test and uidmap (for those who are not root).
  { package: 'mmdebstrap', programs: ['mmdebstrap'] },
  { package: 'arch-test', programs: ['arch-test'] },
  { package: 'uidmap', programs: ['newuidmap'] },
  {
    package: 'debian-archive-keyring',
    anyFile: ['/usr/share/keyrings/debian-archive-keyring.gpg', '/usr/share/keyrings/debian-archive-keyring.pgp'],
  },
  { package: 'dpkg', programs: ['dpkg-deb'] },
  { package: 'tar', programs: ['tar'] },
  { package: 'kmod', programs: ['depmod', 'modprobe'] },
  { package: 'e2fsprogs', programs: ['mke2fs'] },
  { package: 'xz-utils', programs: ['xz'] },
  { package: 'zstd', programs: ['zstd'] },
  { package: 'perl-base', programs: ['perl'] },
  // Processes and mounts of the harness itself.
  { package: 'util-linux', programs: ['setpriv', 'unshare', 'nsenter', 'flock'] },
  { package: 'mount', programs: ['mount'] },
  // The network of a local target.
  { package: 'iproute2', programs: ['ip'] },
  // Stacks in Compose: the program, or Docker's plug-in, which other repositories than Debian's have.
  {
    package: 'docker-compose',
    anyFile: [
      '/usr/bin/docker-compose',
      '/usr/local/bin/docker-compose',
      '/usr/libexec/docker/cli-plugins/docker-compose',
      '/usr/lib/docker/cli-plugins/docker-compose',
      '/usr/local/lib/docker/cli-plugins/docker-compose',
    ],
  },
  // The way into a guest.
  { package: 'openssh-client', programs: ['ssh', 'ssh-keygen'] },
];

/**
 * What only our own tests start: an engine beside whatever engine this machine has. Who uses containers brings his own.
 *
 * @type {readonly SystemPackage[]}
 */
export const TEST_PACKAGES = [{ package: 'docker.io', programs: ['dockerd', 'docker'] }];

/**
 * What has to be there to use the harness, or also to test it.
 * @param {boolean} tests
 */
export function packagesFor(tests) {
  return tests ? [...SYSTEM_PACKAGES, ...TEST_PACKAGES] : SYSTEM_PACKAGES;
}
