import { test as base, eventually, expect, type ScenarioStack, type ScenarioTarget } from 'multiarch-harness';
import { type Identity, identityAt } from '../_openstack/identity.ts';
import { type Response, request } from '../_openstack/request.ts';

export interface Environment {
  readonly id: string;
  readonly name: string;
  readonly status: string;
}

export interface Deployment {
  readonly id: string;
  readonly state: string;
  readonly result: { readonly isException?: boolean; readonly result?: { readonly message?: string } } | null;
}

/** Murano's API, as a client on the controller sees it. */
export interface Murano {
  ask<T>(
    method: string,
    path: string,
    options?: { readonly token?: string; readonly session?: string; readonly body?: unknown },
  ): Promise<Response<T>>;
  /** Asks as an administrator. @throws Error with what Murano says when the status is none of 2xx. */
  do<T>(method: string, path: string, options?: { readonly session?: string; readonly body?: unknown }): Promise<T>;
  status(environment: string): Promise<string>;
  /** Makes an environment with these applications and sends it off to be deployed; its id. */
  send(name: string, applications?: readonly unknown[]): Promise<string>;
  /** Waits until a deployment is over, well or not, and tells the environment's status. */
  settled(environment: string): Promise<string>;
  deployments(environment: string): Promise<readonly Deployment[]>;
  /** Puts a package into the catalogue for everybody. */
  upload(name: string, zip: Uint8Array): Promise<Response<{ readonly fully_qualified_name: string }>>;
}

export interface Queue {
  readonly messages: number;
  readonly consumers: number;
  readonly durable: boolean;
}

/** RabbitMQ, by the API of its management. */
export interface Broker {
  ask<T>(method: string, path: string, by?: string, body?: unknown): Promise<Response<T>>;
  /** A queue of Murano's vhost; undefined if there is none. */
  queue(name: string): Promise<Queue | undefined>;
}

/** What a queue's figures may be late by: RabbitMQ collects them every 5 s. */
export const FIGURES = { seconds: 20 };

const MURANO_USER = 'muranouser:muranopassword';

/** A program of Murano's that somebody runs by hand. */
export class Program {
  readonly #name: string;
  readonly #target: ScenarioTarget;

  /** @param name `api`, or one of two engines. */
  constructor(target: ScenarioTarget, name: 'api' | 'engine' | 'other') {
    this.#target = target;
    this.#name = name;
  }

  async start(): Promise<void> {
    await this.#byHand('start');
  }

  async runs(): Promise<boolean> {
    return (await this.#target.exec(`murano-by-hand runs ${this.#name}`)).exitCode === 0;
  }

  async stop(): Promise<void> {
    await this.#byHand('stop');
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    await this.#byHand('kill');
  }

  /** All that it has said, since the first start. */
  log(): Promise<string> {
    return this.#target.read(`/var/log/murano-${this.#name}.live.log`);
  }

  async #byHand(what: string): Promise<void> {
    await this.#target.sh(`murano-by-hand ${what} ${this.#name}`);
  }
}

/** The programs, and what it means that each of them is there. */
export interface Programs {
  readonly api: Program;
  readonly engine: Program;
  readonly other: Program;
  /** Starts the API if it does not run, and waits until it answers. */
  apiUp(): Promise<void>;
  /** Starts an engine if it does not run, and waits until that many take tasks from the queue. */
  engineUp(engine: Program, consumers: number): Promise<void>;
}

function muranoAt(url: string, identity: Identity): Murano {
  const ask: Murano['ask'] = (method, path, { token, session, body } = {}) =>
    request(
      method,
      `${url}${path}`,
      {
        ...(token === undefined ? {} : { 'x-auth-token': token }),
        ...(session === undefined ? {} : { 'x-configuration-session': session }),
      },
      body,
    );
  async function does<T>(method: string, path: string, options: { session?: string; body?: unknown } = {}): Promise<T> {
    const answer = await ask<T>(method, path, { token: await identity.admin(), ...options });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }
  const status = async (id: string) => (await does<Environment>('GET', `/environments/${id}`)).status;
  return {
    ask,
    do: does,
    status,
    async send(name, applications = []) {
      const { id } = await does<Environment>('POST', '/environments', { body: { name } });
      const session = (await does<{ id: string }>('POST', `/environments/${id}/configure`)).id;
      for (const body of applications) await does('POST', `/environments/${id}/services`, { session, body });
      await does('POST', `/environments/${id}/sessions/${session}/deploy`);
      return id;
    },
    async settled(id) {
      await eventually(async () => expect(await status(id)).not.toBe('deploying'), { seconds: 40 });
      return status(id);
    },
    deployments: async (id) =>
      (await does<{ deployments: Deployment[] }>('GET', `/environments/${id}/deployments`)).deployments,
    async upload(name, zip) {
      const body = new FormData();
      body.set('JsonString', JSON.stringify({ is_public: true }));
      body.set('file', new Blob([Uint8Array.from(zip)]), `${name}.zip`);
      return ask('POST', '/catalog/packages', { token: await identity.admin(), body });
    },
  };
}

function brokerAt(url: string): Broker {
  const ask: Broker['ask'] = (method, path, by = MURANO_USER, body = undefined) =>
    request(method, `${url}${path}`, { authorization: `Basic ${Buffer.from(by).toString('base64')}` }, body);
  return {
    ask,
    async queue(name) {
      const { status, body } = await ask<Queue>('GET', `/queues/muranovhost/${name}`);
      if (status === 404) return undefined;
      if (status !== 200) throw new Error(`cannot read the queue ${name}: ${status} ${JSON.stringify(body)}`);
      return body;
    },
  };
}

function programsOf(target: ScenarioTarget, murano: Murano, broker: Broker): Programs {
  const api = new Program(target, 'api');
  return {
    api,
    engine: new Program(target, 'engine'),
    other: new Program(target, 'other'),
    async apiUp() {
      if (!(await api.runs())) await api.start();
      await eventually(async () => expect((await murano.ask('GET', '/environments')).status).toBe(401), {
        seconds: 40,
      });
    },
    async engineUp(engine, consumers) {
      if (!(await engine.runs())) await engine.start();
      await eventually(async () => expect((await broker.queue('tasks'))?.consumers).toBe(consumers), { seconds: 40 });
    },
  };
}

/** A file of the machine, as it is. */
export async function bytesOf(target: ScenarioTarget, path: string): Promise<Uint8Array> {
  return Buffer.from(await target.sh(`base64 ${path}`), 'base64');
}

const urls = (stack: ScenarioStack) => ({
  identity: stack.url('keystone', '/v3'),
  murano: stack.url('murano', '/v1'),
  broker: stack.url('broker', '/api'),
});

export const test = base
  .extend('identity', async ({ stack }) => identityAt(urls(stack).identity))
  .extend('murano', async ({ stack, identity }) => muranoAt(urls(stack).murano, identity))
  .extend('broker', async ({ stack }) => brokerAt(urls(stack).broker))
  .extend('programs', async ({ target, murano, broker }) => programsOf(target, murano, broker));
