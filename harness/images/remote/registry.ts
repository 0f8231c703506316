import { InfraError } from '../../base/errors.ts';
import { saidBy } from './answer.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { basic, fetchToken, realmOf, type Token } from './token.ts';

/** What a request is for. */
export type Need = 'pull' | 'push';

const ACTIONS: Readonly<Record<Need, string>> = { pull: 'pull', push: 'pull,push' };

/** Times that a request is sent: without a token, with one, and with one for what the registry asks beyond. */
const SENDS = 3;

/** How a request is made. */
interface Asked {
  readonly need: Need;
  /** Statuses of answers that are no errors. */
  readonly expected: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

/** A registry of container images, spoken to as one user. */
export interface Registry {
  /** `HOST[:PORT]` */
  readonly host: string;
  /**
   * Sends a request, for a place in the registry or wherever the registry says. Its body has to be one that can be sent again.
   * @param place an address, or a path of the registry.
   * @throws InfraError for other answers than those that are expected.
   */
  ask(place: string, init: RequestInit, asked: Asked): Promise<Response>;
}

/** What a request has to be accepted. */
interface Grant {
  readonly authorization: string;
  /** What it was asked for. */
  readonly scopes: readonly string[];
  readonly renewal?: { readonly realm: URL; readonly service: string | undefined; readonly until: number };
}

/**
 * A registry, by its address. Nothing is sent to it but what it asks for: `Basic` is given the user and the password, `Bearer` a token
 * that its token server gives for these, or to anybody. Tokens are kept until they expire, one for each need. Neither is
 * sent to another origin: not after a redirect (`fetch` removes them), nor to where a blob is to be uploaded.
 * @param origin `https://registry.lab:5000`.
 * @param name of the repository.
 * @param credentials `USER:PASSWORD`; absent: none.
 */
export function registryAt(origin: string, name: string, credentials: string | undefined): Registry {
  const own = new URL(origin);
  const grants = new Map<Need, Grant>();

  async function grantBy(
    challenge: Challenge,
    scopes: readonly string[],
    signal?: AbortSignal,
  ): Promise<Grant | undefined> {
    if (challenge.scheme === 'basic')
      return credentials === undefined ? undefined : { authorization: basic(credentials), scopes };
    return renewed({ realm: realmOf(challenge, origin), service: challenge.params.get('service') }, scopes, signal);
  }

  async function renewed(
    at: { readonly realm: URL; readonly service: string | undefined },
    scopes: readonly string[],
    signal?: AbortSignal,
  ): Promise<Grant> {
    const { realm, service } = at;
    const { token, until }: Token = await fetchToken(realm, { service, scopes, credentials, signal });
    return { authorization: `Bearer ${token}`, scopes, renewal: { realm, service, until } };
  }

  /** What was granted before, anew if it has expired. */
  async function kept(need: Need, signal?: AbortSignal): Promise<Grant | undefined> {
    const grant = grants.get(need);
    if (!grant?.renewal || performance.now() < grant.renewal.until) return grant;
    const anew = await renewed(grant.renewal, grant.scopes, signal);
    grants.set(need, anew);
    return anew;
  }

  async function send(url: URL, init: RequestInit, need: Need, signal?: AbortSignal): Promise<Response> {
    const mine = url.origin === own.origin;
    let fresh: Grant | undefined;
    for (let sent = 1; ; sent++) {
      const grant = mine ? (fresh ?? (await kept(need, signal))) : undefined;
      const headers = { ...init.headers, ...(grant ? { authorization: grant.authorization } : {}) };
      const answer = await fetch(url, { ...init, headers, ...(signal ? { signal } : {}) });
      if (answer.status !== 401 || !mine || new URL(answer.url).origin !== own.origin || sent === SENDS) return answer;
      const challenge = chosen(answer, own.host);
      const { scope = '' } = Object.fromEntries(challenge?.params ?? []);
      // Ours is first: some servers read no more.
      const scopes = [...new Set([`repository:${name}:${ACTIONS[need]}`, ...scope.split(' ').filter(Boolean)])];
      // What was given just now for all of this is refused, and would be again.
      if (!challenge || scopes.every((one) => fresh?.scopes.includes(one))) return answer;
      const next = await grantBy(challenge, scopes, signal);
      if (!next) return answer;
      await answer.body?.cancel();
      grants.set(need, next);
      fresh = next;
    }
  }

  return {
    host: own.host,
    async ask(place, init, { need, expected, signal }) {
      const url = new URL(place, own);
      const answer = await send(url, init, need, signal);
      if (expected.includes(answer.status)) return answer;
      const who = answer.status === 401 && credentials === undefined ? ' ($HARNESS_REGISTRY_AUTH names no user)' : '';
      const said = await saidBy(answer);
      throw new InfraError(
        `${new URL(answer.url).host} answers ${init.method ?? 'GET'} with ${answer.status}${who} ${said}`.trim(),
      );
    },
  };
}

/**
 * The challenge of an answer that can be met: one for a token, else one for a password.
 * @throws InfraError where it cannot be read.
 */
function chosen(answer: Response, host: string): Challenge | undefined {
  const challenges = parseChallenges(answer.headers.get('www-authenticate') ?? '');
  if (!challenges) throw new InfraError(`${host} asks for something that cannot be read (WWW-Authenticate)`);
  const by = (name: string) => challenges.find(({ scheme }) => scheme === name);
  return by('bearer') ?? by('basic');
}
