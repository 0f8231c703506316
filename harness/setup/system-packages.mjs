import { thisDistribution } from './distribution.mjs';

/** Where Docker looks for its plug-in, which comes from repositories other than Debian's. */
const COMPOSE_PLUGIN = [
  '/usr/libexec/docker/cli-plugins/docker-compose',
  '/usr/lib/docker/cli-plugins/docker-compose',
  '/usr/local/lib/docker/cli-plugins/docker-compose',
];

/**
 * The programs that the harness runs on this machine, by package: the one list that the set-up, `harness doctor` and
 * the GitHub action install from. A package counts as installed if all of its files listed here exist, so a QEMU built
 * by hand in /usr/local will do.
 *
 * A name without a slash is looked up on the PATH and in the sbin folders; of `anyFile` one is enough. Names are those
 * of Debian 12; `unless` has the differences from a version of a distribution on, the newest first.
 *
 * @typedef {{ package: string, programs?: string[], anyFile?: string[] }} Named
 * @typedef {Named & { unless?: readonly (Named & { family: 'debian' | 'ubuntu', from: number })[] }} SystemPackage
 * @type {readonly SystemPackage[]}
 */
export const SYSTEM_PACKAGES = [
  // The three machines.
  { package: 'qemu-system-x86', programs: ['qemu-system-x86_64'] },
  { package: 'qemu-system-arm', programs: ['qemu-system-aarch64'] },
  { package: 'qemu-system-ppc', programs: ['qemu-system-ppc64'] },
  { package: 'qemu-utils', programs: ['qemu-img'] },
  // The firmware of blank machines; ppc64le's is made here.
  { package: 'ovmf', anyFile: ['/usr/share/OVMF/OVMF_CODE_4M.fd'] },
  { package: 'qemu-efi-aarch64', anyFile: ['/usr/share/AAVMF/AAVMF_CODE.fd'] },
  // Maintainer scripts of a foreign architecture while an image is built.
  {
    package: 'qemu-user-static',
    programs: ['qemu-x86_64-static', 'qemu-aarch64-static', 'qemu-ppc64le-static'],
    unless: [
      {
        family: 'debian',
        from: 13,
        package: 'qemu-user-binfmt',
        programs: ['qemu-x86_64', 'qemu-aarch64', 'qemu-ppc64le'],
        // There is none for the machine's own architecture.
        anyFile: ['/usr/lib/binfmt.d/qemu-aarch64.conf', '/usr/lib/binfmt.d/qemu-ppc64le.conf'],
      },
    ],
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
  // Stacks in Compose: the program, or Docker's plug-in. Ubuntu's docker-compose is 1.29, which its Python does not run.
  {
    package: 'docker-compose',
    anyFile: ['/usr/bin/docker-compose', '/usr/local/bin/docker-compose', ...COMPOSE_PLUGIN],
    unless: [
      {
        family: 'ubuntu',
        from: 24,
        package: 'docker-compose-v2',
        anyFile: ['/usr/local/bin/docker-compose', ...COMPOSE_PLUGIN],
      },
    ],
  },
  // The way into a guest.
  { package: 'openssh-client', programs: ['ssh', 'ssh-keygen'] },
];

/** Paths of browsers that our tests can drive; the last ones are on GitHub's machines. */
export const BROWSERS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
];

/**
 * Programs that only our own tests run: a Docker engine separate from this machine's, a browser for the reports'
 * pages, a simulated BMC, independent BMC clients, a cluster. Users of containers or a cluster have their own.
 *
 * @type {readonly SystemPackage[]}
 */
export const TEST_PACKAGES = [
  {
    package: 'docker.io',
    programs: ['dockerd', 'docker'],
    // There, the engine and the command are two packages.
    unless: [{ family: 'debian', from: 13, package: 'docker.io docker-cli', programs: ['dockerd', 'docker'] }],
  },
  {
    package: 'chromium',
    anyFile: BROWSERS,
    unless: [{ family: 'ubuntu', from: 20, package: 'chromium-browser', anyFile: BROWSERS }],
  },
  { package: 'ipmitool', programs: ['ipmitool'] },
  { package: 'openipmi', programs: ['ipmi_sim'] },
  { package: 'python3-sushy', anyFile: ['/usr/lib/python3/dist-packages/sushy/__init__.py'] },
  // A cluster on this host.
  { package: 'slurmctld', programs: ['slurmctld'] },
  { package: 'slurmd', programs: ['slurmd'] },
  { package: 'slurm-client', programs: ['sbatch', 'squeue', 'scancel'] },
  { package: 'munge', programs: ['munged', 'munge'] },
  // A remote cache of images.
  { package: 'docker-registry', programs: ['docker-registry'] },
];

const ALL_PACKAGES = [...SYSTEM_PACKAGES, ...TEST_PACKAGES];

/**
 * The packages needed to use the harness, or also to test it, by their names in this machine's distribution.
 * @param {boolean} tests
 * @param {import('./distribution.mjs').Distribution} distribution
 * @returns {Named[]}
 */
export function packagesFor(tests, distribution) {
  return (tests ? ALL_PACKAGES : SYSTEM_PACKAGES).map((entry) => namedFor(entry, distribution));
}

/**
 * A distribution's name for a package of the list; several names if it has split the package.
 * @param {string} usual its name in Debian 12.
 * @param {import('./distribution.mjs').Distribution} [distribution] this machine's.
 * @throws Error when it is not in the list.
 */
export function packageName(usual, distribution = thisDistribution()) {
  const entry = ALL_PACKAGES.find(({ package: name }) => name === usual);
  if (entry === undefined) throw new Error(`cannot name the package ${usual}: it is not in the list`);
  return namedFor(entry, distribution).package;
}

/**
 * @param {SystemPackage} entry
 * @param {import('./distribution.mjs').Distribution} distribution
 * @returns {Named}
 */
function namedFor({ unless = [], ...usual }, distribution) {
  const other = unless.find(({ family, from }) => family === distribution.family && distribution.version >= from);
  if (other === undefined) return usual;
  const { family: _, from: __, ...named } = other;
  return named;
}
