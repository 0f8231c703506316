import { type Arch, architectures } from '../arch/index.ts';
import { InfraError } from '../base/errors.ts';
import { type HostTime, hostTimeOf, waitedShare } from '../base/host-time.ts';
import { retryUntil, scaledMs } from '../base/time.ts';
import { controllerClock } from '../bench/clock.ts';
import { countedArgv, readCounter, readTimer, timedArgv, WARM } from '../bench/guest-timer.ts';
import { measure } from '../bench/measure.ts';
import type { Measurement, TargetFacts } from '../events/types.ts';
import { type ForwardProxy, startForwardProxy } from '../net/forward-proxy.ts';
import { type RemoteLan, remoteLan } from '../net/remote.ts';
import { runCompose } from '../stacks/compose/command.ts';
import { argvOf, awaitReady } from '../stacks/ready.ts';
import type { BootSource } from '../targets/blank.ts';
import { type Fault, remoteBlank, remoteBmc } from '../targets/blank-remote.ts';
import type { Capability, Endpoint, ExecResult, Power, Target } from '../targets/target.ts';
import type { ScenarioContext } from './context.ts';

export interface CommandOptions {
  /** Native seconds; multiplied by the target's slowness. Default: the suite's `timeouts.command`. */
  readonly seconds?: number;
  readonly stdin?: string;
}

/** The machine under test, as a suite sees it. */
export interface ScenarioTarget {
  /** The cell's name, `arch/target/suite`. */
  readonly name: string;
  /** Data of its architecture, to assert against. */
  readonly arch: Arch;
  readonly facts: TargetFacts;
  /** Runs a command as root; a string goes through `sh`. A non-zero exit code is a result, not an error. */
  exec(command: string | readonly string[], options?: CommandOptions): Promise<ExecResult>;
  /** Runs a shell command and returns what it printed, trimmed; throws when it fails. */
  sh(command: string, options?: CommandOptions): Promise<string>;
  read(path: string): Promise<string>;
  write(path: string, content: string, options?: { readonly mode?: number }): Promise<void>;
  /** Whether it has a capability that `needs` can ask for: a scenario that requires one can skip itself. */
  can(what: Capability): boolean;
  /** A Unix socket of the machine, as one here. Ask again after the power was cut. @throws Error if there is no way. */
  socket(path: string): Promise<string>;
  /**
   * The URL of an HTTP proxy here whose connections the machine opens: clients on the controller that use it follow
   * addresses that only the machine knows, such as those of a catalogue or a redirect. @throws Error if there is no way.
   */
  proxy(): Promise<string>;
  /** Cuts and restores the power; resolves when commands are answered and the stack is ready again. */
  powerCycle(): Promise<void>;
  consoleTail(lines?: number): Promise<string[]>;
}

/** A machine of a cluster. */
export interface ClusterNode extends ScenarioTarget {
  /** As the suite names it. */
  readonly node: string;
  /** In the cluster's network. */
  readonly address: string;
  /** Its stack: ports and services. */
  readonly stack: ScenarioStack;
  /** Cuts the power; the machine's memory is lost, and nobody on the network is notified. */
  powerOff(): Promise<void>;
  /** Restores the power; resolves when commands are answered. */
  powerOn(): Promise<void>;
}

/**
 * A blank machine of a cluster: no image, no SSH. It begins switched off, its disk empty, and boots from the network. What
 * it does, switching itself off included, is never an error of the harness.
 */
export interface BlankNode {
  /** As the suite names it. */
  readonly node: string;
  readonly arch: Arch;
  /** Of its network card, in lower case. */
  readonly mac: string;
  /** Whether it runs. */
  power(): Promise<'on' | 'off'>;
  /** Gives power: it starts from its firmware. One that is on is left alone. */
  on(): Promise<void>;
  /** Cuts the power. */
  off(): Promise<void>;
  /** Restarts it without asking its system. */
  reset(): Promise<void>;
  /** What it boots from first: from its next start on, or with `once` at that start only. Begins as `network`. */
  nextBoot(from: BootSource, options?: { readonly once?: boolean }): Promise<void>;
  /** The last lines of its console. */
  console(lines?: number): Promise<string[]>;
}

/**
 * The virtual BMC of all blank machines: Redfish over HTTP, with basic authentication. Only the suite's first machine reaches
 * it, on its loopback interface. A system's Id is the name of its node.
 */
export interface ClusterBmc {
  /** On the first machine. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** What goes wrong with the next requests about a node: an HTTP status, or no answer at all. */
  fault(node: string, fault: Fault): Promise<void>;
  /** How many requests came so far, refused ones included. */
  requests(): Promise<number>;
}

/** The machines of a cell that has several, and their network. */
export interface ScenarioCluster {
  readonly nodes: readonly ClusterNode[];
  /** The machine of a name. */
  node(name: string): ClusterNode;
  readonly blanks: readonly BlankNode[];
  /** The blank machine of a name. */
  blank(name: string): BlankNode;
  /** The BMC of the blank machines. @throws Error in a suite without any. */
  readonly bmc: ClusterBmc;
  /** Partitions, delay, loss and bandwidth; changes last from one test to the next. */
  readonly lan: RemoteLan;
}

/** A systemd service of the stack. */
export interface ScenarioService {
  start(): Promise<void>;
  stop(): Promise<void>;
  restart(): Promise<void>;
  reload(): Promise<void>;
  isActive(): Promise<boolean>;
  journal(lines?: number): Promise<string>;
}

/** The stack on the target. */
export interface ScenarioStack {
  /** The URL of a named port, reachable from here. */
  url(port: string, path?: string): string;
  endpoint(port: string): Endpoint;
  service(name: string): ScenarioService;
  /** Awaits the suite's readiness checks. */
  ready(): Promise<void>;
  /**
   * Runs Compose on the stack's file, on this machine with the target's engine, and returns what it printed, trimmed;
   * throws when it fails. Default deadline: the suite's `timeouts.compose`.
   */
  compose(args: readonly string[], options?: Pick<CommandOptions, 'seconds'>): Promise<string>;
}

export interface BenchOptions {
  /** Default: the test's name. */
  readonly name?: string;
  /** Default 10, and 12 of instructions. */
  readonly samples?: number;
  /** Samples taken first and not counted. Default 1. */
  readonly warmup?: number;
  /** Operations in one sample. Default 1. */
  readonly operations?: number;
  /** Name of an operation, singular; makes the report show a throughput. */
  readonly per?: string;
}

/** Measures; what it measures is in the report with its accelerator beside it. */
export interface ScenarioBench {
  /** Times a command by the guest's own clock, without SSH or this host's load. */
  inGuest(command: string | readonly string[], options?: BenchOptions): Promise<Measurement>;
  /**
   * Counts the instructions of a command, in a machine of its own with the same stack whose clock counts them: the same
   * work gives the same figure on a busy host, too. Compare it from commit to commit on one architecture; it is no time,
   * and says nothing about caches, memory or the disk. For suites of one machine.
   */
  instructions(command: string | readonly string[], options?: BenchOptions): Promise<Measurement>;
  /** Times a function by the controller's clock, including the connection to the target. */
  onController(operation: () => Promise<unknown>, options?: BenchOptions): Promise<Measurement>;
}

/** One for each machine, which ends with the process of the suite. */
const proxies = new WeakMap<Target, Promise<ForwardProxy>>();

export function scenarioTarget(target: Target, context: ScenarioContext): ScenarioTarget {
  const { suite, scale } = context;
  const exec = (command: string | readonly string[], options: CommandOptions = {}) =>
    target.exec(argvOf(command), {
      deadlineMs: scaledMs(options.seconds ?? suite.timeouts.command, scale),
      ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
    });
  return {
    name: context.cell,
    arch: architectures[target.facts.arch],
    facts: target.facts,
    exec,
    async sh(command, options) {
      const { exitCode, stdout, stderr } = await exec(command, options);
      if (exitCode !== 0)
        throw new Error(`\`${command.slice(0, 200)}\` exited with ${exitCode}: ${stderr.trim().slice(-1000)}`);
      return stdout.trim();
    },
    read: async (path) => new TextDecoder().decode(await target.read(path)),
    write: (path, content, options) => target.write(path, content, options),
    can: (what) => target.can.includes(what),
    async socket(path) {
      if (!target.socket) throw new Error(`a ${target.facts.kind} target forwards no sockets`);
      return target.socket(path);
    },
    async proxy() {
      const { connect } = target;
      if (!connect) throw new Error(`a ${target.facts.kind} target opens no connections for the controller`);
      const proxy = proxies.get(target) ?? startForwardProxy(connect);
      proxies.set(target, proxy);
      return (await proxy).url;
    },
    async powerCycle() {
      const power = powerOf(target);
      await power.off();
      await power.on();
      await awaitReady(target, suite, scale);
    },
    consoleTail: (lines) => target.consoleTail(lines),
  };
}

/** @throws InfraError where nothing switches it. */
function powerOf({ power, facts }: Target): Power {
  if (power) return power;
  throw new InfraError(`cannot cut the power of ${facts.machine ?? 'the target'}: nothing switches it`, {
    hint: "Skip the test with target.can('power'), or say `needs: [power]`; a machine of machines.yaml has `power: { off: …, on: … }`.",
  });
}

/** @throws Error in a suite without `nodes`. */
export async function scenarioCluster(
  machines: ReadonlyMap<string, Target>,
  context: ScenarioContext,
): Promise<ScenarioCluster> {
  const { lanSocket } = context;
  if (lanSocket === undefined) throw new Error('there is no cluster: suite.yaml names no nodes');
  const nodes = await Promise.all(
    context.nodes.map(async ({ name, address = '' }): Promise<ClusterNode> => {
      const machine = machines.get(name)!;
      return {
        ...scenarioTarget(machine, context),
        node: name,
        address,
        stack: await scenarioStack(machine, context),
        powerOff: async () => powerOf(machine).off(),
        powerOn: async () => powerOf(machine).on(),
      };
    }),
  );
  const blanks = blankNodes(context);
  return {
    nodes,
    node: (name) => named(nodes, 'node', name),
    blanks,
    blank: (name) => named(blanks, 'blank node', name),
    get bmc() {
      const { bmc, socket } = context.blanks ?? {};
      if (!bmc || socket === undefined) throw new Error('there is no BMC: suite.yaml names no blank nodes');
      const { fault, requests } = remoteBmc(socket);
      return {
        ...bmc,
        fault: (name: string, what: Fault) => fault(named(blanks, 'blank node', name).node, what),
        requests,
      };
    },
    lan: remoteLan(lanSocket),
  };
}

/** @throws Error with the names that there are. */
function named<T extends { readonly node: string }>(all: readonly T[], what: string, name: string): T {
  const found = all.find(({ node }) => node === name);
  if (found) return found;
  const names = all.map(({ node }) => node).join(', ') || 'none';
  throw new Error(`there is no ${what} "${name}": suite.yaml names ${names}`);
}

function blankNodes({ blanks }: ScenarioContext): BlankNode[] {
  if (!blanks) return [];
  return blanks.machines.map(({ name, arch, mac }) => {
    const { power, on, off, reset, nextBoot, consoleTail } = remoteBlank(blanks.socket, name);
    return {
      node: name,
      arch: architectures[arch],
      mac,
      ...{ power, on, off, reset },
      nextBoot: (from, { once = false } = {}) => nextBoot(from, once),
      console: consoleTail,
    };
  });
}

export async function scenarioStack(target: Target, context: ScenarioContext): Promise<ScenarioStack> {
  const { suite, scale } = context;
  const endpoints = new Map<string, Endpoint>();
  for (const [name, port] of Object.entries(suite.stack.ports)) endpoints.set(name, await target.forward(port));
  const endpoint = (name: string): Endpoint => {
    const found = endpoints.get(name);
    if (!found)
      throw new Error(
        `the stack has no port "${name}": suite.yaml names ${[...endpoints.keys()].join(', ') || 'none'}`,
      );
    return found;
  };
  const systemctl = async (verb: string, unit: string) => {
    const result = await target.exec(['systemctl', verb, unit], {
      deadlineMs: scaledMs(suite.timeouts.command, scale),
    });
    if (result.exitCode !== 0)
      throw new Error(`systemctl ${verb} ${unit} exited with ${result.exitCode}: ${result.stderr.trim()}`);
  };
  return {
    endpoint,
    url: (port, path = '/') => `http://${endpoint(port).host}:${endpoint(port).port}${path}`,
    ready: () => awaitReady(target, suite, scale),
    async compose(args, { seconds = suite.timeouts.compose } = {}) {
      const { exitCode, stdout, stderr } = await runCompose(target, suite, args, {
        deadlineMs: scaledMs(seconds, scale),
      });
      if (exitCode !== 0) throw new Error(`compose ${args.join(' ')} exited with ${exitCode}: ${stderr.trim()}`);
      return stdout.trim();
    },
    service: (name) => ({
      start: () => systemctl('start', name),
      stop: () => systemctl('stop', name),
      restart: () => systemctl('restart', name),
      reload: () => systemctl('reload', name),
      async isActive() {
        const result = await target.exec(['systemctl', 'is-active', '--quiet', name], {
          deadlineMs: scaledMs(suite.timeouts.command, scale),
        });
        return result.exitCode === 0;
      },
      async journal(lines = 50) {
        const result = await target.exec(['journalctl', '--no-pager', `--lines=${lines}`, `--unit=${name}`], {
          deadlineMs: scaledMs(suite.timeouts.command, scale),
        });
        return result.stdout;
      },
    }),
  };
}

export function scenarioBench(
  target: Target,
  context: ScenarioContext,
  testName: string,
  record: (measurement: Measurement) => void,
  counting: () => Promise<Target>,
): ScenarioBench {
  const options = (given: BenchOptions = {}) => ({
    name: given.name ?? testName,
    samples: given.samples ?? 10,
    warmup: given.warmup ?? 1,
    operations: given.operations ?? 1,
    per: given.per,
  });
  const recorded = (measurement: Measurement) => {
    record(measurement);
    return measurement;
  };
  return {
    async inGuest(command, given) {
      const argv = argvOf(command);
      const chosen = options(given);
      const { warmup, samples } = chosen;
      let before: HostTime | undefined;
      const result = await target.exec(timedArgv(argv, warmup, samples), {
        deadlineMs: context.testTimeoutMs,
        onOutput: (chunk) => {
          if (chunk.includes(WARM)) before = target.hostTime?.();
        },
      });
      const waited = waitedShare(before, target.hostTime?.());
      const { ms, clock } = readTimer(result, warmup + samples, shown(argv));
      return recorded(await measure(taking(ms), { ...chosen, clock: 'guest', clockFacts: clock, waited }));
    },
    async instructions(command, given) {
      const argv = argvOf(command);
      // On ppc64le every third sample that starts processes counts a hundredth more: of ten, four, and the median of six others
      // was at their edge. One more made it 0.5 % larger.
      const chosen = options({ warmup: 2, samples: 12, ...given });
      const { warmup, samples } = chosen;
      const machine = await counting();
      const result = await machine.exec(countedArgv(argv, warmup, samples), { deadlineMs: context.testTimeoutMs });
      const { ms, clock } = readCounter(result, warmup, samples, shown(argv));
      return recorded(await measure(taking(ms), { ...chosen, clock: 'instructions', clockFacts: clock }));
    },
    async onController(operation, given) {
      const sample = async () => {
        const started = performance.now();
        await operation();
        return performance.now() - started;
      };
      // Both this process and the machine do the work, and either may wait.
      const hostTime = () => {
        const machine = target.hostTime?.();
        return machine && new Map([...machine, ...(hostTimeOf(process.pid) ?? [])]);
      };
      const chosen = { ...options(given), clock: 'controller', clockFacts: controllerClock(), hostTime } as const;
      return recorded(await measure(sample, chosen));
    },
  };
}

/** A command for an error's message. */
function shown(argv: readonly string[]): string {
  return argv.join(' ').slice(0, 120);
}

/** Samples that were taken before, one after the other. */
function taking(ms: readonly number[]): () => Promise<number> {
  const left = ms.values();
  return async () => left.next().value ?? Number.NaN;
}

/** Tries until `attempt` no longer throws; native seconds, multiplied by the target's slowness. */
export function eventuallyWith<T>(attempt: () => T | Promise<T>, seconds: number, scale: number): Promise<T> {
  return retryUntil(async () => attempt(), { deadlineMs: scaledMs(seconds, scale), everyMs: 150 });
}
