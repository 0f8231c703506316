import { setTimeout as delay } from 'node:timers/promises';
import { InfraError, messageOf } from '../base/errors.ts';
import { inert, quote } from '../base/quote.ts';
import type { Bmc, PowerState } from './bmc.ts';
import { type Answer, ask } from './https.ts';
import { passwordIn } from './password.ts';
import type { RedfishPower } from './spec.ts';

/** Milliseconds for one request, and before each new try of one that the controller was too busy for. */
const ASK_MS = 30_000;
const AGAIN_MS = [1000, 2000, 4000];

/** Reset types that give power and cut it, the preferred one first. Source: DMTF DSP0268, ComputerSystem. */
const RESETS: Readonly<Record<PowerState, readonly string[]>> = { on: ['On', 'ForceOn'], off: ['ForceOff'] };

/** Times between tries, for tests. */
export interface Patience {
  readonly askMs?: number;
  readonly againMs?: readonly number[];
}

/**
 * A controller that speaks Redfish, with basic authentication on each request. It is asked again when it cannot be reached
 * or is busy (5xx, 429), as controllers are while they start.
 */
export function redfish(spec: RedfishPower, { askMs = ASK_MS, againMs = AGAIN_MS }: Patience = {}): Bmc {
  const { redfish: base, system, user, passwordFile, ca, fingerprint } = spec;
  const name = `redfish ${base}`;
  let place: string | undefined;

  const once = async (method: 'GET' | 'POST', path: string, body?: unknown): Promise<Answer> => {
    const url = new URL(path, base);
    if (url.origin !== new URL(base).origin)
      throw new InfraError(`cannot ask the BMC ${base}: it sends us elsewhere, to ${inert(url.origin)}`);
    const login = Buffer.from(`${user}:${await passwordIn(passwordFile)}`).toString('base64');
    const headers = { accept: 'application/json', authorization: `Basic ${login}`, 'odata-version': '4.0' };
    return ask(url, {
      method,
      ...(body === undefined
        ? { headers }
        : { headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      timeoutMs: askMs,
      ca,
      fingerprint,
    });
  };

  const request = async (method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> => {
    for (const [, wait] of [...againMs, undefined].entries()) {
      const answer = await once(method, path, body).catch((error: unknown) => {
        if (error instanceof InfraError) throw error;
        return messageOf(error);
      });
      if (typeof answer !== 'string' && answer.status >= 200 && answer.status < 300) return parsed(answer, path);
      const busy = typeof answer === 'string' || answer.status >= 500 || answer.status === 429;
      if (!busy || wait === undefined) throw refused(path, answer);
      await delay(wait);
    }
  };

  const refused = (path: string, answer: Answer | string): InfraError => {
    const url = inert(new URL(path, base).href);
    if (typeof answer === 'string') return new InfraError(`cannot reach the BMC at ${url}: ${answer}`);
    const said = messageIn(answer.text);
    const why = `${answer.status}${said === undefined ? '' : `, ${said}`}`;
    return new InfraError(`cannot ask the BMC at ${url}: it answers ${why}`, {
      ...(answer.status === 401 || answer.status === 403
        ? { hint: `It refuses the user ${user}: compare the password in ${passwordFile}.` }
        : {}),
    });
  };

  const parsed = ({ text }: Answer, path: string): unknown => {
    if (text.trim() === '') return undefined;
    try {
      return JSON.parse(text);
    } catch {
      throw new InfraError(`cannot ask the BMC at ${inert(new URL(path, base).href)}: its answer is no JSON`);
    }
  };

  /** The path of the machine, among those that the controller has. */
  const systemPath = async (): Promise<string> => {
    if (place !== undefined) return place;
    const members = field(await request('GET', '/redfish/v1/Systems'), 'Members');
    const paths = (Array.isArray(members) ? members : []).flatMap((one: unknown) => {
      const path = field(one, '@odata.id');
      return typeof path === 'string' ? [path] : [];
    });
    const fit = system === undefined ? paths : paths.filter((path) => lastPart(path) === lastPart(system));
    if (fit.length !== 1)
      throw new InfraError(
        `cannot tell which system of the BMC ${base} is meant: ${system === undefined ? `it has ${paths.length}` : `none or several are ${quote(system)}`}`,
        {
          hint: `It has ${
            paths
              .slice(0, 10)
              .map((path) => quote(lastPart(path)))
              .join(', ') || 'none'
          }: name one with \`system:\`.`,
        },
      );
    place = fit[0]!;
    return place;
  };

  return {
    name,
    async state() {
      const said = field(await request('GET', await systemPath()), 'PowerState');
      // PoweringOn and PoweringOff: it is on its way, and still what it was.
      if (said === 'On' || said === 'PoweringOff' || said === 'Paused') return 'on';
      if (said === 'Off' || said === 'PoweringOn') return 'off';
      throw new InfraError(`cannot tell the power of ${name}: its PowerState is ${quote(String(said))}`);
    },
    async request(state) {
      const path = await systemPath();
      const reset = field(field(await request('GET', path), 'Actions'), '#ComputerSystem.Reset');
      const target = field(reset, 'target');
      const allowed = field(reset, 'ResetType@Redfish.AllowableValues');
      const types = RESETS[state];
      const type = Array.isArray(allowed) ? types.find((one) => allowed.includes(one)) : types[0];
      if (type === undefined)
        throw new InfraError(`cannot switch the power ${state} by ${name}: it offers no ${types.join(' and no ')}`);
      const action = typeof target === 'string' ? target : `${path}/Actions/ComputerSystem.Reset`;
      await request('POST', action, { ResetType: type });
    },
  };
}

/** A field of what a controller said; undefined of what is no object. */
function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function lastPart(path: string): string {
  return path.replace(/\/+$/, '').split('/').at(-1)!;
}

/** What an error of Redfish says, as one safe line. */
function messageIn(text: string): string | undefined {
  try {
    const message = field(field(JSON.parse(text), 'error'), 'message');
    return typeof message === 'string' ? inert(message.slice(0, 200)) : undefined;
  } catch {
    return undefined;
  }
}
