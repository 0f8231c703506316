import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Dockerode from 'dockerode';
import { execa } from 'execa';
import { run } from '../../harness/base/process.ts';
import { retryUntil } from '../../harness/base/time.ts';
import { type EngineAddress, engineAddress, engineInfo, openEngine } from '../../harness/targets/container/engine.ts';

/** A Docker engine for the test, separate from any engine of this machine. */
export interface TestEngine extends AsyncDisposable {
  readonly env: { readonly DOCKER_HOST: string };
  readonly address: EngineAddress;
  readonly client: Dockerode;
  /** Kills the engine and everything that runs in it, like a crash of its machine. */
  crash(): Promise<void>;
  /** Starts it again with the same data. */
  start(): Promise<void>;
}

/** Milliseconds for an engine to come up, containerd included, on a busy machine. */
const START_MS = 120_000;

/** argv as root: this user is root, or may use sudo without a password, as on hosted runners. */
const asRoot = (argv: readonly string[]) => (process.getuid?.() === 0 ? [...argv] : ['sudo', '-n', ...argv]);

/** Whether this user may start an engine, which requires root. */
export async function mayStartEngine(): Promise<boolean> {
  const [program, ...args] = asRoot(['dockerd', '--version']);
  return (await execa(program!, args, { reject: false, stdin: 'ignore' })).exitCode === 0;
}

/**
 * Runs its arguments until they end or its standard input is closed, which happens however its parent ends. It may run
 * as another user, so the parent cannot send it signals.
 */
const WHILE_WATCHED = 'exec 3<&0; "$@" & pid=$!; (cat <&3; kill -KILL $pid) > /dev/null 2>&1 & wait $pid';

interface Daemon {
  readonly ended: Promise<unknown>;
  kill(): void;
}

/** Starts a program as root that ends with this process; its output goes to a file. */
function startAsRoot(argv: readonly string[], logFile: string): Daemon {
  const [program, ...args] = asRoot(['sh', '-c', WHILE_WATCHED, 'sh', ...argv]);
  const child = execa(program!, args, {
    stdin: 'pipe',
    stdout: { file: logFile },
    stderr: { file: logFile, append: true },
    reject: false,
    // Ctrl-C reaches only the test.
    detached: true,
  } as const);
  return { ended: child, kill: () => void child.stdin?.end() };
}

/**
 * Starts an engine with its own socket, data and process namespace: it ends with the test, however that ends. It does
 * not touch the packet filter, so another engine on this machine is not affected; ports are published by docker-proxy.
 */
export async function startEngine(): Promise<TestEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'harness-engine-'));
  const address = engineAddress({ DOCKER_HOST: `unix://${folder}/docker.sock` });
  const remove = (...names: string[]) =>
    run(asRoot(['rm', '-rf', '--', ...names.map((name) => join(folder, name))]), { purpose: 'remove an engine' });
  let daemon: Daemon | undefined;
  const startDaemon = async () => {
    // Usually in /run, and so gone after a crash.
    await remove('pid', 'exec', 'docker.sock');
    const places = ['--data-root', `${folder}/data`, '--exec-root', `${folder}/exec`, '--pidfile', `${folder}/pid`];
    const nothingShared = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false'];
    const socket = ['--host', address.host, '--group', String(process.getgid?.())];
    daemon = startAsRoot(
      [
        ...['unshare', '--mount', '--pid', '--fork', '--kill-child=KILL', '--mount-proc', '--'],
        // The first process of a namespace inherits orphans; a waiting shell reaps them.
        ...['sh', '-c', '"$@" & wait $!', 'sh', 'dockerd', ...socket, ...places, ...nothingShared],
      ],
      join(folder, 'dockerd.log'),
    );
    const { ended } = daemon;
    await Promise.race([
      retryUntil(() => engineInfo(address), { deadlineMs: START_MS }),
      ended.then(async () => {
        const log = await readFile(join(folder, 'dockerd.log'), 'utf8');
        throw new Error(`dockerd ended: ${log.split('\n').slice(-10).join('\n')}`);
      }),
    ]);
  };
  const crash = async () => {
    daemon?.kill();
    await daemon?.ended;
  };
  const end = async () => {
    // Bridges belong to the host and would outlive an engine that is killed.
    const client = openEngine(address);
    for (const { Id } of await client.listContainers({ all: true }).catch(() => []))
      await client.getContainer(Id).remove({ force: true, v: true });
    await client.pruneNetworks().catch(() => {});
    await crash();
    // Mounts of its namespace disappear a moment after its processes.
    await retryUntil(() => remove(''), { deadlineMs: 60_000 });
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await startDaemon();
  } catch (error) {
    await end();
    throw error;
  }
  return {
    env: { DOCKER_HOST: address.host },
    address,
    client: openEngine(address),
    crash,
    start: startDaemon,
    [Symbol.asyncDispose]: end,
  };
}

/** Everything on an engine except images: containers, user-defined networks, volumes; and bridges on this host. */
export async function heldBy({ client }: TestEngine): Promise<string[]> {
  const containers = await client.listContainers({ all: true });
  const networks = await client.listNetworks();
  const { Volumes } = await client.listVolumes();
  const own = networks.filter(({ Name }) => !['bridge', 'host', 'none'].includes(Name));
  return [
    ...containers.map(({ Names }) => Names.join()),
    ...own.map(({ Name }) => Name),
    ...Volumes.map(({ Name }) => Name),
  ];
}

/** Network interfaces that an engine has created on this host. */
export async function bridges(): Promise<string[]> {
  return (await readdir('/sys/class/net')).filter((name) => name.startsWith('br-'));
}
