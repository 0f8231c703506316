import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ArchName, architectures, usualArchs } from '../../harness/arch/index.ts';
import { cacheFolder } from '../../harness/base/folders.ts';
import { run } from '../../harness/base/process.ts';
import { loadMatrix, loadSuites } from '../../harness/config/load/load.ts';
import { matrixSchema } from '../../harness/config/schema/matrix.ts';
import { openApt } from '../../harness/images/apt.ts';
import { expandCells } from '../../harness/matrix/expand.ts';
import { DEFAULT_RELEASE } from '../../harness/releases/index.ts';
import { imageSettings } from '../../harness/run/cell/image.ts';
import { openCell } from '../../harness/run/cell/open-cell.ts';
import { createProviders } from '../../harness/targets/providers.ts';
import type { Target } from '../../harness/targets/target.ts';
import type { VmHandle } from '../../harness/targets/vm/machine.ts';
import type { TestProject } from './project.ts';

/**
 * A VM that stands in for a real machine: it has an ordinary user who may use sudo, and is reached with that user's key
 * over a jump host, by the test's own ssh configuration.
 */
export interface StandIn extends AsyncDisposable {
  readonly arch: ArchName;
  readonly target: Target;
  /** The port of its SSH server on 127.0.0.1. */
  readonly port: number;
  /** The user's key, and the machine's line for known_hosts. */
  readonly keyFile: string;
  readonly knownHosts: string;
  /** Commands that switch its power off and on. */
  readonly power: string;
  /** Its entries in an ssh configuration: the machine with itself as jump host, and `NAME-direct`. */
  readonly sshConfig: string;
}

/** The user on the machines. */
export const USER = 'tester';

/** The program of power commands. */
const POWER = join(import.meta.dirname, 'power.ts');

/** A Debian package that is not in the image, so that the image is the one of `web` and is built only once. */
async function packageFile(name: string, arch: ArchName): Promise<Buffer> {
  const settings = imageSettings(matrixSchema.parse({ arch: [arch], suite: ['real'] }), cacheFolder());
  const apt = await openApt({ ...settings, release: DEFAULT_RELEASE }, architectures[arch]);
  await apt.download([name]);
  const resolved = (await apt.resolve([name])).find((one) => one.name === name);
  return readFile(apt.archive(resolved!));
}

/** The initial contents of a machine. */
interface StandInSystem {
  readonly packages: readonly string[];
  /** Mebibytes. */
  readonly memory: number;
  readonly disk: number;
}

/** For the suite `web`. */
const WEB: StandInSystem = {
  packages: ['nginx-light', 'redis-server', 'uwsgi-core', 'uwsgi-plugin-psgi'],
  memory: 512,
  disk: 2048,
};

/** For suites whose stack is in containers. */
export const WITH_ENGINE: StandInSystem = { packages: ['docker.io', 'iptables'], memory: 1280, disk: 6144 };

/**
 * A stand-in for each given architecture, named `real-ARCH`. It already has its suite's packages, because installing
 * them takes long on an emulated machine.
 */
export async function standIns(
  project: TestProject,
  archs: readonly ArchName[] = usualArchs,
  { packages, memory, disk } = WEB,
): Promise<StandIn[]> {
  const key = join(project.folder, 'id_tester');
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key], { purpose: 'make a key' });
  const publicKey = (await readFile(`${key}.pub`, 'utf8')).trim();
  await mkdir(join(project.folder, 'stand-in/suites/real'), { recursive: true });
  await writeFile(
    join(project.folder, 'stand-in/suites/real/suite.yaml'),
    `machine: { vcpus: 1, memory: ${memory}, disk: ${disk} }\nstack:\n  packages: [${packages.join(', ')}]\n`,
  );
  await writeFile(join(project.folder, 'stand-in/real.yaml'), `arch: [${archs.join(', ')}]\nsuite: [real]\n`);
  const matrix = await loadMatrix(join(project.folder, 'stand-in/real.yaml'));
  const suites = await loadSuites(matrix, [join(project.folder, 'stand-in/suites')]);
  const cache = cacheFolder();
  const providers = createProviders({ cache });
  return Promise.all(
    expandCells(matrix, suites).map(async (cell): Promise<StandIn> => {
      const arch = cell.arch as ArchName;
      const folder = join(project.folder, 'stand-in', arch);
      await mkdir(folder, { recursive: true });
      const state = project.env['HARNESS_STATE']!;
      const opened = await openCell({ cell, matrix, providers, folder, cache, state, progress: () => {} });
      const { target } = opened.nodes[0];
      await target.write('/root/sudo.deb', await packageFile('sudo', arch));
      const setUp = [
        'dpkg --install /root/sudo.deb >&2',
        // Without PAM, sshd treats an account without a password as locked.
        `useradd --create-home --shell /bin/bash --password '*' ${USER}`,
        `install -d -m 700 -o ${USER} /home/${USER}/.ssh`,
        `echo '${publicKey}' > /home/${USER}/.ssh/authorized_keys`,
        `echo '${USER} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/${USER}`,
        // Its own server accepts only the harness's key.
        "sed -i 's|^AuthorizedKeysFile .*|& .ssh/authorized_keys|' /etc/ssh/harness_sshd_config",
        'systemctl kill -s HUP --kill-who=main harness-ssh',
        'ssh-keygen -y -f /etc/ssh/harness_host_key',
      ];
      const made = await target.exec(['sh', '-e', '-c', setUp.join('\n')], { deadlineMs: 120_000 });
      if (made.exitCode !== 0) throw new Error(`the stand-in could not be set up: ${made.stderr}`);
      const port = (target.handle as VmHandle).ports['22']!;
      const knownHosts = join(folder, 'known_hosts');
      const hostKey = made.stdout.trim().split(' ').slice(0, 2).join(' ');
      await writeFile(knownHosts, `[127.0.0.1]:${port} ${hostKey}\nreal-${arch} ${hostKey}\n`);
      const entry = (name: string, lines: readonly string[]) => [`Host ${name}`, ...lines.map((line) => `  ${line}`)];
      const common = [
        `User ${USER}`,
        `IdentityFile ${key}`,
        'IdentitiesOnly yes',
        `UserKnownHostsFile ${knownHosts}`,
        'StrictHostKeyChecking yes',
      ];
      const sshConfig = [
        ...entry(`real-${arch}-direct`, ['HostName 127.0.0.1', `Port ${port}`, ...common]),
        // From the jump host's point of view, the machine is localhost.
        ...entry(`real-${arch}`, [
          'HostName 127.0.0.1',
          'Port 22',
          `HostKeyAlias real-${arch}`,
          `ProxyJump real-${arch}-direct`,
          ...common,
        ]),
      ].join('\n');
      const control = (target.handle as VmHandle).controlSocket;
      const power = ['off', 'on'].map((verb) => `${verb}: ${JSON.stringify([process.execPath, POWER, control, verb])}`);
      return {
        power: `{ ${power.join(', ')} }`,
        arch,
        target,
        port,
        keyFile: key,
        knownHosts,
        sshConfig,
        [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
      };
    }),
  );
}

/** Writes an ssh configuration for all machines and an inventory into a project. @returns the inventory's path. */
export async function writeInventory(
  project: TestProject,
  machines: readonly StandIn[],
  name = 'machines.yaml',
  entry = ({ arch, power }: StandIn) => `address: real-${arch}, arch: ${arch}, power: ${power}`,
): Promise<string> {
  const config = join(project.folder, 'ssh_config');
  await writeFile(config, `${machines.map(({ sshConfig }) => sshConfig).join('\n')}\n`);
  const lines = machines.map((machine) => `  real-${machine.arch}: { ${entry(machine)} }\n`);
  const file = join(project.folder, name);
  await writeFile(file, `ssh-config: ${config}\nmachines:\n${lines.join('')}`);
  return file;
}
