import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { expect } from 'vitest';
import { cacheFolder } from '../../harness/base/folders.ts';
import { identify, killExactly } from '../../harness/base/process.ts';
import { programsMissing } from '../../harness/base/programs.ts';
import { retryUntil } from '../../harness/base/time.ts';
import { cached } from '../../harness/images/cache.ts';
import { freePorts } from './ports.ts';
import type { TestProject } from './project.ts';

const checkout = dirname(dirname(import.meta.dirname));

/** A user that every Debian has: HTCondor takes no jobs of root. */
const USER = 'games';

/** Where the pool's root has this checkout, and Node. */
export const PLACES = { checkout: '/srv', node: '/mnt/node' } as const;

/** Real HTCondor with all of its nodes on this host, on 127.0.0.1 and in a folder of its own; gone when it is disposed of. */
export interface CondorPool extends AsyncDisposable {
  /** Runs `harness ARGS…` in a project, as a user of the pool, where its commands are. */
  harness(project: TestProject, args: readonly string[]): Promise<{ exitCode: number; stdout: string; stderr: string }>;
  /** Starts it. */
  start(
    project: TestProject,
    args: readonly string[],
  ): Promise<{ exitCode?: number | undefined; stdout?: unknown; stderr?: unknown }> & {
    kill(signal: NodeJS.Signals): boolean;
  };
  /** Runs one of its commands. */
  command(argv: readonly string[]): Promise<string>;
  /** A power cut, after which the node starts again: every process of it, and of the jobs on it. */
  cutPower(node: string): Promise<void>;
}

/** A root of Debian 13, which Debian 12 has no HTCondor to put beside; this machine's own where it has HTCondor. */
async function rootFolder(): Promise<string> {
  if ((await programsMissing(['condor_master', 'condor_submit'])).length === 0) return '/';
  const argv = ['mmdebstrap', '--quiet', '--variant=essential', '--include=htcondor,git', 'trixie'];
  const { folder } = await cached(
    {
      ...{ cache: cacheFolder(), kind: 'base', label: 'HTCondor, for our tests', ingredients: argv },
      ...{ needBytes: 2 ** 30, remote: null },
    },
    async (place) => {
      await execa('unshare', ['--mount', '--propagation', 'private', ...argv, join(place, 'root')]);
    },
  );
  return join(folder, 'root');
}

/** What enters the root, in a mount namespace of its own: nothing stays mounted, however this ends. */
const ENTER = `set -e
root=$1 tmp=$2 checkout=$3 node=$4
if [ "$root" != / ]; then
  mount --bind "$root" "$root"
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount --rbind /sys "$root/sys"
  mkdir -p "$root$tmp"
  mount --rbind "$tmp" "$root$tmp"
fi
mount --bind "$checkout" "$root${PLACES.checkout}"
mount --bind "$node" "$root${dirname(PLACES.node)}"
shift 4
exec chroot "$root" "$@"
`;

/** @param nodes each with a `HarnessArch`, and `slots` CPUs. */
export async function startCondor(
  nodes: readonly { readonly name: string; readonly arch: string }[],
  { slots = 4 }: { readonly slots?: number } = {},
): Promise<CondorPool> {
  const root = await rootFolder();
  const folder = await mkdtemp(join(tmpdir(), 'harness-condor-'));
  const file = join(folder, 'condor_config');
  const [port] = await freePorts(1);
  for (const name of ['log', 'spool', 'lock', 'run', 'sock', ...nodes.map((node) => `execute/${node.name}`)])
    await mkdir(join(folder, name), { recursive: true });
  await writeFile(file, configuration(folder, port!, nodes, slots));
  await execa('chown', ['-R', `${USER}:`, folder]);
  const env = {
    CONDOR_CONFIG: file,
    HOME: folder,
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  };
  const words = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const asUser = ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups'];
  const enter = ['sh', '-c', ENTER, 'sh', root, tmpdir(), checkout, dirname(process.execPath)];
  const argv = [
    '--mount',
    '--propagation',
    'private',
    ...enter,
    'env',
    '-i',
    ...words,
    ...asUser,
    'condor_master',
    '-f',
  ];
  const master = spawn('unshare', argv, { stdio: 'ignore', detached: true });
  // Files of a test are root's, who made them.
  const OWN = `cd "$1" && chown -R ${USER}: . && shift && exec "$@"`;
  const inside = (cwd: string, more: readonly string[], own: readonly string[]) => [
    ...['--target', String(master.pid), '--mount', '--root', '--wd=/', 'env', '-i', ...words, ...more],
    ...['sh', '-c', OWN, 'sh', cwd, ...asUser, ...own],
  ];
  const command = async (own: readonly string[]) => (await execa('nsenter', inside(folder, [], own))).stdout;
  const killWhere = async (fits: (environment: string, commandLine: string) => boolean) => {
    for (const pid of await processesOf(file, fits)) killExactly(identify(pid) ?? { pid: -1, startTime: '' });
  };
  const pool: CondorPool = {
    command,
    start(project, args) {
      const more = Object.entries(project.env).map(([name, value]) => `${name}=${value}`);
      const own = [PLACES.node, join(PLACES.checkout, 'harness/cli/main.ts'), ...args];
      return execa('nsenter', inside(project.folder, more, own), { reject: false, stdin: 'ignore' });
    },
    async harness(project, args) {
      const { exitCode, stdout, stderr } = await pool.start(project, args);
      return { exitCode: exitCode ?? -1, stdout: String(stdout), stderr: String(stderr) };
    },
    async cutPower(node) {
      const sandbox = join(folder, 'execute', node);
      await killWhere((environment, line) => environment.includes(sandbox) || line.includes(`-local-name\0${node}\0`));
    },
    async [Symbol.asyncDispose]() {
      const gone = new Promise((resolve) => master.once('exit', resolve));
      if (master.exitCode === null && master.signalCode === null) {
        master.kill('SIGQUIT');
        await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, 10_000).unref())]);
      }
      await killWhere(() => true);
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await retryUntil(
      async () => {
        const there = await command(['condor_status', '-af', 'Name']);
        for (const { name } of nodes) expect(there).toContain(`@${name}`);
        await command(['condor_q']);
      },
      { deadlineMs: 240_000, everyMs: 250 },
    );
    return pool;
  } catch (error) {
    await pool[Symbol.asyncDispose]();
    throw error;
  }
}

/** Processes of a pool: the environment of each of them, or of what started it, names its configuration. */
async function processesOf(
  config: string,
  fits: (environment: string, commandLine: string) => boolean,
): Promise<number[]> {
  const found: number[] = [];
  for (const name of (await readdir('/proc')).filter((one) => /^\d+$/.test(one))) {
    const environment = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
    const line = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    if (environment.includes(dirname(config)) && fits(environment, line)) found.push(Number(name));
  }
  return found.filter((pid) => pid !== process.pid);
}

function configuration(
  folder: string,
  port: number,
  nodes: readonly { readonly name: string; readonly arch: string }[],
  slots: number,
): string {
  return [
    ...['RELEASE_DIR = /usr', 'LIBEXEC = /usr/libexec/condor', 'LIB = /usr/lib/condor', 'ETC = /etc/condor'],
    ...['SBIN = /usr/sbin', 'BIN = /usr/bin', `LOCAL_DIR = ${folder}`, 'LOG = $(LOCAL_DIR)/log'],
    ...['SPOOL = $(LOCAL_DIR)/spool', 'LOCK = $(LOCAL_DIR)/lock', 'RUN = $(LOCAL_DIR)/run'],
    ...['DAEMON_SOCKET_DIR = $(LOCAL_DIR)/sock', 'MAIL = /bin/true', 'HIBERNATE = NONE'],
    // Everything goes through one port of 127.0.0.1.
    ...['CONDOR_HOST = 127.0.0.1', 'NETWORK_INTERFACE = 127.0.0.1', 'BIND_ALL_INTERFACES = False'],
    ...[`COLLECTOR_HOST = 127.0.0.1:${port}`, 'USE_SHARED_PORT = True', `SHARED_PORT_PORT = ${port}`],
    ...['SEC_DEFAULT_AUTHENTICATION = REQUIRED', 'SEC_DEFAULT_AUTHENTICATION_METHODS = FS'],
    ...['READ', 'WRITE', 'DAEMON', 'NEGOTIATOR', 'ADMINISTRATOR'].map((what) => `ALLOW_${what} = *`),
    `DAEMON_LIST = MASTER, SHARED_PORT, COLLECTOR, NEGOTIATOR, SCHEDD, ${nodes.map(({ name }) => `STARTD_${name}`).join(', ')}`,
    ...nodes.flatMap(({ name, arch }) => [
      ...[`STARTD_${name} = $(STARTD)`, `STARTD_${name}_ARGS = -f -local-name ${name}`],
      ...[`${name}.STARTD_NAME = ${name}`, `${name}.STARTD_LOG = $(LOG)/StartLog.${name}`],
      ...[`${name}.EXECUTE = $(LOCAL_DIR)/execute/${name}`, `${name}.HarnessArch = "${arch}"`],
    ]),
    ...['STARTD_ATTRS = HarnessArch', `NUM_CPUS = ${slots}`, 'MEMORY = 64000', 'NUM_SLOTS_TYPE_1 = 1'],
    ...['SLOT_TYPE_1 = 100%', 'SLOT_TYPE_1_PARTITIONABLE = True'],
    ...['START = True', 'SUSPEND = False', 'PREEMPT = False', 'WANT_SUSPEND = False', 'RANK = 0'],
    // Nobody else is asked to wait: a test is.
    ...['NEGOTIATOR_INTERVAL = 2', 'NEGOTIATOR_CYCLE_DELAY = 1', 'NEGOTIATOR_MIN_INTERVAL = 1', 'SCHEDD_INTERVAL = 2'],
    ...['SCHEDD_MIN_INTERVAL = 1', 'UPDATE_INTERVAL = 5', 'UPDATE_OFFSET = 0', 'PERIODIC_EXPR_INTERVAL = 5'],
    ...['JOB_START_DELAY = 0', 'MASTER_BACKOFF_CONSTANT = 1', 'MASTER_BACKOFF_FACTOR = 1'],
    '',
  ].join('\n');
}
