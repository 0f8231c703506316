import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { SetupError, say, since } from './say.mjs';

/** Often missing from a user's PATH, but mke2fs and depmod are there. */
const SBIN = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** How long to wait for another apt, in milliseconds: unattended upgrades hold the lock on a fresh machine. */
const APT_LOCK_WAIT_MS = 5 * 60 * 1000;

/**
 * The Debian packages whose programs are missing on this machine. Takes about 2 ms, because it looks for files and
 * does not ask dpkg.
 * @param {{ path: string, exists?: (file: string) => boolean, packages: readonly import('./system-packages.mjs').Named[] }} machine
 * @returns {string[]}
 */
export function missingPackages({ path, exists = existsSync, packages }) {
  const folders = [...new Set([...path.split(delimiter).filter(Boolean), ...SBIN])];
  /** @param {string} program */
  const found = (program) => folders.some((folder) => exists(join(folder, program)));
  return packages
    .filter(({ programs = [], anyFile }) => !programs.every(found) || (anyFile !== undefined && !anyFile.some(exists)))
    .flatMap((entry) => entry.package.split(' '));
}

/**
 * How this user may run apt-get.
 * @typedef {{ how: 'direct' } | { how: 'sudo', asks: boolean } | { how: 'never', why: string }} Privilege
 * @param {{ uid: number, isTty: boolean, runs: (program: string, args: string[]) => boolean }} user
 * @returns {Privilege}
 */
export function privilegeOf({ uid, isTty, runs }) {
  if (!runs('apt-get', ['--version'])) return { how: 'never', why: 'this machine has no apt-get' };
  if (uid === 0) return { how: 'direct' };
  if (!runs('sudo', ['--version'])) return { how: 'never', why: 'you are not root and there is no sudo' };
  if (runs('sudo', ['-n', 'true'])) return { how: 'sudo', asks: false };
  if (isTty) return { how: 'sudo', asks: true };
  return { how: 'never', why: 'you are not root, and sudo would ask for a password' };
}

/** The command for the user to type. @param {readonly string[]} packages @param {boolean} root */
export function installLine(packages, root) {
  return `${root ? '' : 'sudo '}apt-get install -y --no-install-recommends ${packages.join(' ')}`;
}

/**
 * @param {Privilege} privilege
 * @param {string[]} args
 */
function aptGet(privilege, args) {
  const argv = ['apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300', ...args];
  // sudo drops the environment, so the variable goes through env(1).
  const command = ['env', 'DEBIAN_FRONTEND=noninteractive', ...argv];
  const [program = '', ...rest] = privilege.how === 'sudo' ? ['sudo', ...command] : command;
  for (const startedAt = Date.now(); ; ) {
    const result = spawnSync(program, rest, {
      encoding: 'utf8',
      stdio: ['inherit', 'pipe', 'pipe'],
      maxBuffer: 64 << 20,
    });
    const output = `${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}`.trim();
    // The timeout option applies to dpkg's lock; apt does not wait for the locks of the lists and the archive.
    const busy = result.status !== 0 && /Could not get lock|Unable to lock/.test(output);
    if (!busy || Date.now() - startedAt > APT_LOCK_WAIT_MS) return { ok: result.status === 0, output };
    spawnSync('sleep', ['3']);
  }
}

/** Whether apt has package lists: container images come without. */
function hasLists() {
  try {
    return readdirSync('/var/lib/apt/lists').some((name) => name.includes('_Packages'));
  } catch {
    return false;
  }
}

/**
 * Installs missing packages. Only one process at a time may call it.
 * @param {readonly string[]} missing
 * @param {Privilege} privilege
 * @param {() => string[]} check what is missing now
 */
export function installSystem(missing, privilege, check) {
  if (privilege.how === 'never') {
    const line = installLine(missing, false);
    throw new SetupError(
      `cannot install the missing packages: ${privilege.why}\n  missing: ${missing.join(' ')}\n` +
        (privilege.why.includes('apt-get')
          ? '  next: install what these Debian packages hold by your system’s own means, or use Debian or Ubuntu\n' +
            '        (HARNESS_NO_SYSTEM_PACKAGES=1 goes on without: unit tests and matrices without such targets work)'
          : `  next: ${line}`),
      2,
    );
  }
  const startedAt = Date.now();
  if (privilege.how === 'sudo' && privilege.asks) {
    say(`sudo is about to ask for your password, to run: ${installLine(missing, false)}`);
  }
  say(`Debian packages: installing ${missing.join(' ')} …`);
  const install = () => aptGet(privilege, ['install', '-y', '--no-install-recommends', ...missing]);
  const first = hasLists() ? install() : undefined;
  if (first?.ok !== true) {
    const update = aptGet(privilege, ['update']);
    const second = install();
    if (!second.ok) {
      throw new SetupError(
        `cannot install the Debian packages: apt-get failed\n${update.ok ? '' : `${update.output}\n`}${second.output}\n` +
          `  next: ${installLine(missing, privilege.how === 'direct')}`,
        3,
      );
    }
  }
  const still = check();
  if (still.length > 0) {
    throw new SetupError(`cannot find the programs of ${still.join(' ')}, although apt-get installed them`, 3);
  }
  say(`Debian packages: installed in ${since(startedAt)}`);
}
