import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { BootSource, PowerState } from './bmc.ts';
import { bodyText } from './body.ts';

/** A machine that the service switches. */
export interface ServedSystem {
  readonly state: () => PowerState | Promise<PowerState>;
  readonly on: () => Promise<void>;
  readonly off: () => Promise<void>;
  /** Restarts it without a moment off. Absent: it is switched off and on. */
  readonly reset?: () => Promise<void>;
  /** Absent: what it boots from cannot be chosen. */
  readonly boot?: ServedBoot;
  /** MAC addresses of its network cards. */
  readonly macs?: readonly string[];
}

/** What a system boots from. */
export interface ServedBoot {
  /** Chooses for the next start, or from then on. */
  choose(from: BootSource, once: boolean): Promise<void>;
  /** What was chosen for the next start only, until it has come. */
  once(): BootSource | undefined;
  /** Its own order, where nobody chooses. */
  readonly usual: BootSource;
}

/** What the service does wrong, for the next requests about a system. */
export type Fault =
  | { readonly status: number; readonly times: number }
  | { readonly hang: true; readonly times: number };

export interface RedfishService extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, or https; `unix:PATH` of a socket. */
  readonly url: string;
  /** How many requests came, refused ones included. */
  readonly requests: number;
  fault(system: string, fault: Fault): void;
}

export interface ServiceOptions {
  readonly user: string;
  readonly password: string;
  readonly systems: Readonly<Record<string, ServedSystem>>;
  /** A path for a unix socket that it listens on; absent: a port of 127.0.0.1. */
  readonly socket?: string;
  /** A certificate and its key, PEM; absent: plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** Bytes of a request's body. */
const MAX_BODY = 65_536;

const ROOT = '/redfish/v1';
const RESET_TYPES = ['On', 'ForceOn', 'ForceOff', 'ForceRestart', 'GracefulShutdown'];

interface Reply {
  readonly status: number;
  readonly body?: unknown;
}

const refusal = (status: number, message: string): Reply => ({
  status,
  body: { error: { code: 'Base.1.0.GeneralError', message } },
});

/**
 * A virtual BMC: Redfish over HTTP with basic authentication for several machines, on the loopback interface, in this process.
 * Source of names and shapes: DMTF DSP0266 and DSP0268, as far as clients ask for them.
 */
export async function serveRedfish(options: ServiceOptions): Promise<RedfishService> {
  const faults = new Map<string, Fault>();
  /** What was chosen until something else is, by system. */
  const chosen = new Map<string, BootSource>();
  let requests = 0;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    requests += 1;
    const path = (request.url ?? '').replace(/\?.*$/, '').replace(/\/+$/, '');
    const [, id] = /\/(?:Systems|Managers)\/([^/]+)/.exec(path) ?? [];
    const fault = id === undefined ? undefined : nextFault(faults, id);
    if (fault && 'hang' in fault) return;
    const reply = fault
      ? refusal(fault.status, 'a fault was asked for')
      : path !== ROOT && !isLogin(request.headers.authorization, options)
        ? refusal(401, 'the user or the password is wrong')
        : await replyTo(request, path, { systems: options.systems, chosen });
    const body = reply.body === undefined ? '' : JSON.stringify(reply.body);
    response.writeHead(reply.status, {
      'content-type': 'application/json',
      'odata-version': '4.0',
      ...(reply.status === 401 ? { 'www-authenticate': 'Basic realm="bmc"' } : {}),
    });
    response.end(body);
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response).catch((error: Error) => {
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { code: 'Base.1.0.GeneralError', message: error.message } }));
    });
  };
  const server: Server = options.tls ? createTlsServer(options.tls, listener) : createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    if (options.socket !== undefined) server.listen(options.socket, resolve);
    else server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url:
      options.socket === undefined
        ? `${options.tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`
        : `unix:${options.socket}`,
    get requests() {
      return requests;
    },
    fault: (system, fault) => void faults.set(system, fault),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function nextFault(faults: Map<string, Fault>, id: string): Fault | undefined {
  const fault = faults.get(id);
  if (!fault) return undefined;
  if (fault.times <= 1) faults.delete(id);
  else faults.set(id, { ...fault, times: fault.times - 1 });
  return fault;
}

function isLogin(header: string | undefined, { user, password }: ServiceOptions): boolean {
  const expected = Buffer.from(`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`);
  const given = Buffer.from(header ?? '');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

interface Served {
  readonly systems: ServiceOptions['systems'];
  readonly chosen: Map<string, BootSource>;
}

async function replyTo(request: IncomingMessage, path: string, served: Served): Promise<Reply> {
  const { systems } = served;
  if (request.method === 'GET') {
    const body = await resource(path, served);
    return body === undefined ? refusal(404, `there is no ${path}`) : { status: 200, body };
  }
  if (request.method === 'PATCH') return chooseBoot(path, await bodyOf(request), served);
  const [, id] = /^\/redfish\/v1\/Systems\/([^/]+)\/Actions\/ComputerSystem\.Reset$/.exec(path) ?? [];
  const system = id === undefined ? undefined : lookUp(systems, id);
  if (request.method !== 'POST' || !system) return refusal(405, `${request.method} is not possible here`);
  const { ResetType: type } = (await bodyOf(request)) as { ResetType?: unknown };
  switch (type) {
    case 'On':
    case 'ForceOn':
      await system.on();
      break;
    case 'ForceOff':
    case 'GracefulShutdown':
      await system.off();
      break;
    case 'ForceRestart':
      if (system.reset && (await system.state()) === 'on') await system.reset();
      else {
        await system.off();
        await system.on();
      }
      break;
    default:
      return refusal(400, `ResetType ${JSON.stringify(type)} is none of ${RESET_TYPES.join(', ')}`);
  }
  return { status: 204 };
}

/** Redfish's names of what a system boots from. */
const TARGETS: Readonly<Record<BootSource, string>> = { network: 'Pxe', disk: 'Hdd' };

async function chooseBoot(path: string, body: unknown, { systems, chosen }: Served): Promise<Reply> {
  const [, id] = /^\/redfish\/v1\/Systems\/([^/]+)$/.exec(path) ?? [];
  const boot = id === undefined ? undefined : lookUp(systems, id)?.boot;
  const { Boot: wanted } = body as { Boot?: Record<string, unknown> };
  if (id === undefined || !boot || typeof wanted !== 'object' || wanted === null)
    return refusal(405, 'only Boot of a system can be changed');
  const current = bootOf(id, boot, chosen);
  const { BootSourceOverrideEnabled: enabled = 'Once', BootSourceOverrideTarget: target = current.target } = wanted;
  const from = Object.entries(TARGETS).find(([, name]) => name === target)?.[0] as BootSource | undefined;
  if (enabled === 'Disabled' || target === 'None') {
    chosen.delete(id);
    await boot.choose(boot.usual, false);
  } else if (from === undefined || (enabled !== 'Once' && enabled !== 'Continuous'))
    return refusal(
      400,
      `${JSON.stringify(target)}, ${JSON.stringify(enabled)} is not possible: ${allowed().join(', ')}`,
    );
  else {
    if (enabled === 'Continuous') chosen.set(id, from);
    await boot.choose(from, enabled === 'Once');
  }
  return { status: 204 };
}

function allowed(): string[] {
  return ['None', ...Object.values(TARGETS)];
}

function bootOf(
  id: string,
  boot: ServedBoot | undefined,
  chosen: ReadonlyMap<string, BootSource>,
): { readonly enabled: string; readonly target: string } {
  const once = boot?.once();
  if (once !== undefined) return { enabled: 'Once', target: TARGETS[once] };
  const from = chosen.get(id);
  return from === undefined
    ? { enabled: 'Disabled', target: 'None' }
    : { enabled: 'Continuous', target: TARGETS[from] };
}

function lookUp(systems: ServiceOptions['systems'], id: string): ServedSystem | undefined {
  return Object.hasOwn(systems, id) ? systems[id] : undefined;
}

async function resource(path: string, { systems, chosen }: Served): Promise<unknown> {
  const ids = Object.keys(systems);
  const collection = (name: string, type: string, at: string, members: readonly string[]) => ({
    '@odata.id': at,
    '@odata.type': `#${type}.${type}`,
    Name: name,
    Members: members.map((one) => ({ '@odata.id': `${at}/${one}` })),
    'Members@odata.count': members.length,
  });
  if (path === ROOT)
    return {
      '@odata.id': ROOT,
      '@odata.type': '#ServiceRoot.v1_5_0.ServiceRoot',
      Id: 'RootService',
      Name: 'multiarch-harness',
      RedfishVersion: '1.6.0',
      Systems: { '@odata.id': `${ROOT}/Systems` },
      Managers: { '@odata.id': `${ROOT}/Managers` },
    };
  if (path === `${ROOT}/Systems`) return collection('Systems', 'ComputerSystemCollection', path, ids);
  if (path === `${ROOT}/Managers`) return collection('Managers', 'ManagerCollection', path, ids);
  const [, kind, id, rest = ''] = /^\/redfish\/v1\/(Systems|Managers)\/([^/]+)(\/.*)?$/.exec(path) ?? [];
  const system = id === undefined ? undefined : lookUp(systems, id);
  if (!system || id === undefined) return undefined;
  const at = `${ROOT}/${kind}/${id}`;
  if (kind === 'Managers')
    return rest === ''
      ? {
          '@odata.id': at,
          '@odata.type': '#Manager.v1_5_0.Manager',
          Id: id,
          Name: `BMC of ${id}`,
          ManagerType: 'BMC',
          Links: { ManagerForServers: [{ '@odata.id': `${ROOT}/Systems/${id}` }] },
        }
      : undefined;
  if (rest !== '') return cards(system, at, rest, collection);
  return systemResource(system, id, at, chosen);
}

async function systemResource(
  { state, boot }: ServedSystem,
  id: string,
  at: string,
  chosen: ReadonlyMap<string, BootSource>,
): Promise<unknown> {
  const { enabled, target } = bootOf(id, boot, chosen);
  return {
    '@odata.id': at,
    '@odata.type': '#ComputerSystem.v1_10_0.ComputerSystem',
    Id: id,
    Name: id,
    SystemType: 'Virtual',
    PowerState: (await state()) === 'on' ? 'On' : 'Off',
    // Clients want to read it also where it cannot be chosen.
    Boot: {
      BootSourceOverrideEnabled: enabled,
      BootSourceOverrideTarget: target,
      'BootSourceOverrideTarget@Redfish.AllowableValues': boot ? allowed() : ['None'],
    },
    EthernetInterfaces: { '@odata.id': `${at}/EthernetInterfaces` },
    Links: { ManagedBy: [{ '@odata.id': `${ROOT}/Managers/${id}` }] },
    Actions: {
      '#ComputerSystem.Reset': {
        target: `${at}/Actions/ComputerSystem.Reset`,
        'ResetType@Redfish.AllowableValues': RESET_TYPES,
      },
    },
  };
}

function cards(
  { macs = [] }: ServedSystem,
  at: string,
  rest: string,
  collection: (name: string, type: string, at: string, members: readonly string[]) => unknown,
): unknown {
  const names = macs.map((_, index) => `nic${index}`);
  if (rest === '/EthernetInterfaces')
    return collection('Network cards', 'EthernetInterfaceCollection', `${at}${rest}`, names);
  const index = names.findIndex((name) => rest === `/EthernetInterfaces/${name}`);
  if (index < 0) return undefined;
  return {
    '@odata.id': `${at}${rest}`,
    '@odata.type': '#EthernetInterface.v1_5_0.EthernetInterface',
    Id: names[index],
    Name: names[index],
    MACAddress: macs[index],
    PermanentMACAddress: macs[index],
    Status: { State: 'Enabled', Health: 'OK' },
  };
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const value: unknown = JSON.parse((await bodyText(request, MAX_BODY)) || '{}');
  return typeof value === 'object' && value !== null ? value : {};
}
