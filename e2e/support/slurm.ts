import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect } from 'vitest';
import { identify, killExactly } from '../../harness/base/process.ts';
import { retryUntil } from '../../harness/base/time.ts';
import { freePorts } from './ports.ts';

/** A node of a cluster on this host. */
export interface SlurmNode {
  readonly name: string;
  /** The architecture that it claims to have: `amd64`. */
  readonly feature: string;
}

/** Real Slurm with all of its nodes on this host, on 127.0.0.1 and in its own folder. Disposal ends it. */
export interface SlurmCluster extends AsyncDisposable {
  readonly folder: string;
  /** The environment of its clients. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs one of its commands. */
  command(argv: readonly string[]): Promise<string>;
  startController(): Promise<void>;
  /** Like a power cut or a crash: SIGKILL. */
  killController(): Promise<void>;
  startNode(name: string): Promise<void>;
  /** Simulates a power cut: kills slurmd and every process of its jobs. */
  cutPower(name: string): Promise<void>;
}

/**
 * Starts a cluster.
 * @param nodes each with `slots` CPUs; Slurm ignores how many the host has.
 */
export async function startSlurm(
  nodes: readonly SlurmNode[],
  { slots = 4 }: { readonly slots?: number } = {},
): Promise<SlurmCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'harness-slurm-'));
  const inFolder = (name: string) => join(folder, name);
  const host = hostname().split('.')[0]!;
  const ports = await freePorts(nodes.length + 1);
  await mkdir(inFolder('state'));
  await writeFile(inFolder('key'), randomBytes(1024));
  await chmod(inFolder('key'), 0o400);
  const names = nodes.map(({ name }) => name).join(',');
  const conf = [
    ...['ClusterName=harness', `SlurmctldHost=${host}(127.0.0.1)`, `SlurmctldPort=${ports[0]}`],
    ...['AuthType=auth/munge', `AuthInfo=socket=${inFolder('munge')}`, 'CredType=cred/munge'],
    ...['SlurmUser=root', 'SlurmdUser=root', `StateSaveLocation=${inFolder('state')}`],
    ...[`SlurmdSpoolDir=${inFolder('spool-%n')}`, `SlurmctldPidFile=${inFolder('slurmctld.pid')}`],
    ...[`SlurmdPidFile=${inFolder('slurmd-%n.pid')}`, 'ProctrackType=proctrack/linuxproc', 'TaskPlugin=task/none'],
    ...['MpiDefault=none', 'JobAcctGatherType=jobacct_gather/none'],
    ...['AccountingStorageType=accounting_storage/none', 'SelectType=select/cons_tres'],
    ...['SelectTypeParameters=CR_Core_Memory', 'SchedulerType=sched/backfill'],
    'SchedulerParameters=bf_interval=2,sched_min_interval=100000,batch_sched_delay=1,default_queue_depth=1000',
    ...['SlurmdTimeout=300', 'SlurmctldTimeout=10', 'MessageTimeout=10', 'KillWait=10', 'InactiveLimit=0'],
    ...['ReturnToService=2', 'JobRequeue=1', 'MinJobAge=300', 'MaxArraySize=100001', 'MaxJobCount=100000'],
    'SlurmdParameters=config_overrides',
    ...nodes.map(
      ({ name, feature }, index) =>
        `NodeName=${name} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${ports[index + 1]} CPUs=${slots} RealMemory=64000 Features=${feature}`,
    ),
    ...['PreemptType=preempt/partition_prio', 'PreemptMode=REQUEUE'],
    `PartitionName=ci Nodes=${names} Default=YES MaxTime=INFINITE State=UP PriorityTier=1`,
    `PartitionName=urgent Nodes=${names} MaxTime=INFINITE State=UP PriorityTier=10`,
  ];
  // With control groups v2, slurmd would need systemd, which may not be running.
  await writeFile(inFolder('cgroup.conf'), 'IgnoreSystemd=yes\n');
  await writeFile(inFolder('slurm.conf'), `${conf.join('\n')}\n`);
  const env = { SLURM_CONF: inFolder('slurm.conf') };
  const daemons = new Map<string, ChildProcess>();
  const start = (id: string, argv: readonly string[]) => {
    const [program, ...args] = argv;
    const child = spawn(program!, args, { env: { ...process.env, ...env }, stdio: 'ignore', detached: true });
    daemons.set(id, child);
  };
  const stop = async (id: string, signal: NodeJS.Signals) => {
    const child = daemons.get(id);
    daemons.delete(id);
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  };
  const command = async (argv: readonly string[]) => {
    const [program, ...args] = argv;
    return (await execa(program!, args, { env })).stdout;
  };
  const cluster: SlurmCluster = {
    ...{ folder, env, command },
    async startController() {
      start('slurmctld', ['slurmctld', '-D', '-L', inFolder('slurmctld.log')]);
      await retryUntil(async () => expect(await command(['scontrol', 'ping'])).toContain('UP'), {
        deadlineMs: 120_000,
      });
    },
    killController: () => stop('slurmctld', 'SIGKILL'),
    async startNode(name) {
      await rm(inFolder(`spool-${name}`), { recursive: true, force: true });
      await mkdir(inFolder(`spool-${name}`));
      start(name, ['slurmd', '-D', '-N', name, '-L', inFolder(`${name}.log`)]);
      await retryUntil(
        async () =>
          expect(await command(['sinfo', '-h', '-n', name, '-o', '%T'])).toMatch(/^(?:idle|mixed|allocated)$/m),
        { deadlineMs: 180_000 },
      );
    },
    async cutPower(name) {
      await stop(name, 'SIGKILL');
      for (const pid of await processesOf(name, inFolder('slurm.conf'))) killExactly(identify(pid)!);
    },
    async [Symbol.asyncDispose]() {
      await command(['scancel', '--user=root']).catch(() => {});
      for (const { name } of nodes) {
        await stop(name, 'SIGTERM');
        for (const pid of await processesOf(name, inFolder('slurm.conf'))) killExactly(identify(pid) ?? NOBODY);
      }
      await stop('slurmctld', 'SIGTERM');
      await stop('munged', 'SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
  const files = ['key', 'pid', 'log', 'seed'].map(
    (name) => `--${name}-file=${inFolder(name === 'key' ? name : `munge.${name}`)}`,
  );
  start('munged', ['munged', '--foreground', '--force', ...files, `--socket=${inFolder('munge')}`]);
  try {
    await retryUntil(() => execa('munge', ['--socket', inFolder('munge'), '--no-input']), { deadlineMs: 60_000 });
    await cluster.startController();
    await Promise.all(nodes.map(({ name }) => cluster.startNode(name)));
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
  return cluster;
}

const NOBODY = { pid: -1, startTime: '' };

/** Processes of a node's jobs, and Slurm's helpers for them: their environment or command line names the node. */
async function processesOf(node: string, conf: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of (await readdir('/proc')).filter((one) => /^\d+$/.test(one))) {
    const environment = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
    const variables = environment.split('\0');
    if (variables.includes(`SLURMD_NODENAME=${node}`) && variables.includes(`SLURM_CONF=${conf}`))
      found.push(Number(name));
  }
  return found.filter((pid) => pid !== process.pid);
}
