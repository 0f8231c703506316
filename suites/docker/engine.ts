import { request } from 'node:http';
import { test as base, type ScenarioTarget } from 'multiarch-harness';

/** A Docker engine's API, which costs an emulated machine much less than starting the docker command. */
export interface Engine {
  get<T>(path: string): Promise<T>;
  /** @throws Error with what the engine says. */
  post<T>(path: string, body?: unknown): Promise<T>;
  remove(path: string): Promise<void>;
  /** A container's description. */
  container(name: string): Promise<Container>;
}

export interface Container {
  readonly Id: string;
  readonly Name: string;
  readonly Image: string;
  readonly RestartCount: number;
  readonly State: {
    readonly Status: string;
    readonly Pid: number;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
    readonly Error: string;
    readonly StartedAt: string;
    readonly Health?: { readonly Status: string };
  };
  readonly GraphDriver: { readonly Name: string; readonly Data: Readonly<Record<string, string>> };
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string; readonly Aliases: string[] | null }>>;
  };
  readonly Mounts: readonly { readonly Type: string; readonly Name?: string; readonly Source: string }[];
}

export interface Image {
  readonly Id: string;
  readonly Architecture: string;
  readonly RepoTags: readonly string[];
  readonly RootFS: { readonly Layers: readonly string[] };
  readonly Config: { readonly Labels: Readonly<Record<string, string>> | null };
}

/** The engine behind a Unix socket of the machine. */
export function engineOf(target: ScenarioTarget, socket = '/var/run/docker.sock'): Engine {
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const socketPath = await target.socket(socket);
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    return new Promise((resolve, reject) => {
      const asked = request({ socketPath, path: `/v1.41${path}`, method, headers, agent: false }, (response) => {
        let answer = '';
        response.setEncoding('utf8');
        response.on('error', reject);
        response.on('data', (chunk: string) => {
          answer += chunk;
        });
        response.on('end', () => {
          if ((response.statusCode ?? 0) >= 300)
            reject(new Error(`${method} ${path}: ${response.statusCode} ${answer.trim()}`));
          else resolve(answer === '' ? undefined : JSON.parse(answer));
        });
      });
      asked.on('error', reject);
      asked.end(text);
    });
  };
  const get = <T>(path: string) => call('GET', path) as Promise<T>;
  return {
    get,
    post: <T>(path: string, body?: unknown) => call('POST', path, body) as Promise<T>,
    remove: async (path) => void (await call('DELETE', path)),
    container: (name) => get(`/containers/${name}/json`),
  };
}

/** Everything that scenarios make, as API paths. */
async function made(engine: Engine): Promise<string[]> {
  const containers = await engine.get<{ Id: string }[]>('/containers/json?all=true');
  const networks = await engine.get<{ Id: string }[]>('/networks');
  const volumes = await engine.get<{ Volumes: { Name: string }[] | null }>('/volumes');
  return [
    ...containers.map(({ Id }) => `/containers/${Id}`),
    ...networks.map(({ Id }) => `/networks/${Id}`),
    ...(volumes.Volumes ?? []).map(({ Name }) => `/volumes/${Name}`),
  ];
}

/** `test` with the machine's engine, which has no more containers, networks and volumes after a test than before it. */
export const test = base.extend('engine', { auto: true }, async ({ target }, { onCleanup }) => {
  const engine = engineOf(target);
  const before = await made(engine);
  onCleanup(async () => {
    // In this order: networks and volumes are in use as long as their containers are there.
    for (const path of (await made(engine)).filter((path) => !before.includes(path)))
      await engine.remove(`${path}?force=true&v=true`);
  });
  return engine;
});
