import { setTimeout as delay } from 'node:timers/promises';
import { type ClusterNode, deadlineMs, eventually, expect, type ScenarioCluster } from 'multiarch-harness';
import { ask } from './ask.ts';

/** A Docker engine's API, which costs an emulated machine much less than starting the docker command. */
export interface Engine {
  get<T>(path: string): Promise<T>;
  /** @throws Error with what the engine says. */
  post<T>(path: string, body?: unknown): Promise<T>;
  remove(path: string): Promise<void>;
}

/** Native seconds for an engine's answer: joining a swarm takes some. */
const ENGINE_SECONDS = 20;

export function engineOf(node: ClusterNode): Engine {
  const call = async (method: string, path: string, body?: unknown) => {
    const url = node.stack.url('engine', `/v1.41${path}`);
    const { status, text } = await ask(node.node, url, { method, body, seconds: ENGINE_SECONDS });
    if (status >= 300) throw new Error(`${node.node}: ${method} ${path}: ${status} ${text.trim()}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  return {
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body),
    remove: async (path) => void (await call('DELETE', path)),
  };
}

export interface SwarmNode {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: { readonly Role: string; readonly Availability: string };
  readonly Description: { readonly Hostname: string; readonly Platform: { readonly Architecture: string } };
  readonly Status: { readonly State: string };
  readonly ManagerStatus?: { readonly Leader?: boolean; readonly Reachability: string };
}

export interface Service {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: Record<string, unknown> & { readonly Mode: { readonly Replicated?: { readonly Replicas: number } } };
  readonly UpdateStatus?: { readonly State: string; readonly Message: string };
}

export interface Task {
  readonly ID: string;
  readonly NodeID?: string;
  /** ISO time, by the manager's clock. */
  readonly CreatedAt: string;
  readonly DesiredState: string;
  readonly Status: {
    readonly State: string;
    readonly Message?: string;
    readonly Err?: string;
    readonly ContainerStatus?: { readonly ContainerID: string };
  };
  readonly Spec: { readonly ContainerSpec: { readonly Image: string } };
}

/** `n1 ready active leader`, in the order of the names: what `docker node ls` shows. */
export async function nodeList(engine: Engine): Promise<string[]> {
  const nodes = await engine.get<SwarmNode[]>('/nodes');
  return nodes
    .map(({ Description, Status, Spec, ManagerStatus }) =>
      [
        Description.Hostname,
        Status.State,
        Spec.Availability,
        ManagerStatus?.Leader ? 'leader' : ManagerStatus ? 'manager' : 'worker',
      ].join(' '),
    )
    .sort();
}

/** A service's tasks that run and are meant to. */
export async function running(engine: Engine, service: string): Promise<Task[]> {
  const filters = encodeURIComponent(JSON.stringify({ service: [service], 'desired-state': ['running'] }));
  const tasks = await engine.get<Task[]>(`/tasks?filters=${filters}`);
  return tasks.filter(({ Status }) => Status.State === 'running');
}

/** Awaits that exactly so many tasks run; `2/2` in `docker service ls`. */
export async function converged(engine: Engine, service: string, replicas: number, seconds = 6): Promise<Task[]> {
  return eventually(
    async () => {
      const tasks = await running(engine, service);
      expect(tasks.length, `running tasks of ${service}`).toBe(replicas);
      return tasks;
    },
    { seconds },
  );
}

/** The names of the machines that tasks run on. */
export async function placesOf(engine: Engine, tasks: readonly Task[]): Promise<string[]> {
  const nodes = await engine.get<SwarmNode[]>('/nodes');
  return tasks.map(({ NodeID }) => nodes.find(({ ID }) => ID === NodeID)?.Description.Hostname ?? '?').sort();
}

/** Changes a service's number of replicas. */
export async function scaleTo(engine: Engine, name: string, replicas: number): Promise<void> {
  const { ID, Version, Spec } = await engine.get<Service>(`/services/${name}`);
  await engine.post(`/services/${ID}/update?version=${Version.Index}`, {
    ...Spec,
    Mode: { Replicated: { Replicas: replicas } },
  });
}

/** A page of `my-web`: which machine and container served it, and its version. */
export interface Page {
  readonly machine: string;
  readonly host: string;
  readonly version: string;
}

/** Native seconds for a page; an idle machine needs a fraction of one. */
const PAGE_SECONDS = 3;

/** Asks for a page over a connection of its own, so that the mesh chooses anew each time. */
export async function page(node: ClusterNode): Promise<Page> {
  const url = node.stack.url('web', '/cgi-bin/where');
  const { status, text } = await ask(node.node, url, { seconds: PAGE_SECONDS });
  const [machine = '', host = '', version = ''] = text.trim().split(' ');
  if (status !== 200 || version === '') throw new Error(`${node.node} answered ${status}: ${text}`);
  return { machine, host, version };
}

/** Milliseconds between two requests of `load`: enough to hit every moment of an update, and to leave it some processor. */
const BETWEEN_REQUESTS_MS = 200;

/** Asks for pages one after another until it is stopped. */
export function load(node: ClusterNode): {
  /** Resolves when so many more pages have come: what happens meanwhile happens under load. */
  more(count: number): Promise<void>;
  stop(): Promise<{ pages: Page[]; failures: string[] }>;
} {
  const pages: Page[] = [];
  const failures: string[] = [];
  let stopped = false;
  const asking = (async () => {
    while (!stopped) {
      await page(node).then(
        (got) => pages.push(got),
        (error: Error) => failures.push(error.message),
      );
      await delay(BETWEEN_REQUESTS_MS);
    }
  })();
  return {
    async more(count) {
      const goal = pages.length + count;
      const enough = () => expect(pages.length, `pages, after ${failures.join()}`).toBeGreaterThanOrEqual(goal);
      await eventually(enough, { seconds: count * PAGE_SECONDS });
    },
    async stop() {
      stopped = true;
      await asking;
      return { pages, failures };
    },
  };
}

/** Makes a swarm of all machines: the first is its manager. */
export async function formSwarm(cluster: ScenarioCluster): Promise<Engine> {
  const [first, ...others] = cluster.nodes as [ClusterNode, ...ClusterNode[]];
  const manager = engineOf(first);
  await manager.post('/swarm/init', { ListenAddr: '0.0.0.0:2377', AdvertiseAddr: first.address });
  await Promise.all(others.map((node) => join(manager, first, node)));
  return manager;
}

/** Lets a machine join as a worker. @param token another one than the swarm's own. */
export async function join(manager: Engine, first: ClusterNode, node: ClusterNode, token?: string): Promise<void> {
  const { JoinTokens } = await manager.get<{ JoinTokens: { Worker: string } }>('/swarm');
  await engineOf(node).post('/swarm/join', {
    ListenAddr: '0.0.0.0:2377',
    AdvertiseAddr: node.address,
    RemoteAddrs: [`${first.address}:2377`],
    JoinToken: token ?? JoinTokens.Worker,
  });
}

/**
 * Nanoseconds between the engine's SIGTERM and its SIGKILL. The server of `my-web` is process 1 of its container, which the
 * kernel lets ignore SIGTERM: with the engine's ten seconds every task that ends takes ten.
 */
export const STOP_NS = 2e9;

/** A service of `my-web`, published on 8080 unless `port` is 0. */
export function webService(name: string, replicas: number, more: Record<string, unknown> = {}, port = 8080): unknown {
  const { container = {}, task = {}, ...rest } = more as { container?: object; task?: object };
  return {
    Name: name,
    TaskTemplate: { ContainerSpec: { Image: 'my-web:1', StopGracePeriod: STOP_NS, ...container }, ...task },
    Mode: { Replicated: { Replicas: replicas } },
    ...(port === 0
      ? {}
      : {
          EndpointSpec: { Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: port, PublishMode: 'ingress' }] },
        }),
    ...rest,
  };
}

/** What `wget` in a container says, to be asked as often as a service's tasks need. Times in nanoseconds. */
export function health(): unknown {
  return {
    Test: ['CMD', '/bin/busybox', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1/cgi-bin/where'],
    Interval: 5e9,
    Timeout: deadlineMs(2 * PAGE_SECONDS) * 1e6,
    Retries: 5,
  };
}
