import { z } from 'zod';
import { InfraError } from '../../base/errors.ts';
import { quote } from '../../base/quote.ts';
import { readUpTo, saidBy } from './answer.ts';
import type { Challenge } from './challenge.ts';

/** Milliseconds for a token. */
const TOKEN_MS = 30_000;

/** Bytes of an answer with a token: tokens of known registries have 1 to 5 kB. */
const MOST = 256 * 1024;

/** What a token is good for when its server does not say: seconds. */
const DEFAULT_SECONDS = 60;

/** Printable, without spaces: nothing else can be in a header's value. */
const token = z.string().regex(/^[!-~]+$/);
const tokenAnswer = z.looseObject({
  token: token.optional(),
  access_token: token.optional(),
  expires_in: z.number().positive().catch(DEFAULT_SECONDS),
});

/** A token of a registry, and until when it is good. */
export interface Token {
  readonly token: string;
  /** By `performance.now()`, a little before its server would refuse it. */
  readonly until: number;
}

/** Whether a URL is one of this machine. */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/**
 * Where the tokens of a registry are. Whoever is there is given the user and the password, so it has to be TLS; except that both
 * are on this machine.
 * @param origin of the registry.
 * @throws InfraError for a realm that is no such address.
 */
export function realmOf({ params }: Challenge, origin: string): URL {
  const realm = params.get('realm') ?? '';
  const registry = new URL(origin);
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  const here = registry.protocol === 'http:' && isLoopback(registry);
  if (url && url.username === '' && url.password === '') {
    if (url.protocol === 'https:') return url;
    if (url.protocol === 'http:' && here && isLoopback(url)) return url;
  }
  throw new InfraError(`${registry.host} has its tokens at ${quote(realm, 200)}, which is no address with https`);
}

/**
 * A token from the server that a registry names: `GET REALM?service=…&scope=…`, with the user and the password if there are
 * some. https://distribution.github.io/distribution/spec/auth/token/
 * @param scopes such as `repository:lab/harness:pull,push`. The token may be good for less: the registry says so.
 * @param credentials `USER:PASSWORD`; absent: none.
 * @throws InfraError without a token.
 */
export async function fetchToken(
  realm: URL,
  {
    service,
    scopes,
    credentials,
    signal,
  }: {
    readonly service: string | undefined;
    readonly scopes: readonly string[];
    readonly credentials: string | undefined;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Token> {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  const cannot = (why: string) => new InfraError(`cannot get a token from ${realm.host}: ${why}`);
  const asked = performance.now();
  const answer = await fetch(url, {
    // The user and the password are for this host only.
    redirect: 'manual',
    ...(credentials === undefined ? {} : { headers: { authorization: basic(credentials) } }),
    signal: AbortSignal.any([AbortSignal.timeout(TOKEN_MS), ...(signal ? [signal] : [])]),
  });
  if (answer.status !== 200) throw cannot(`it answers with ${answer.status} ${await saidBy(answer)}`.trim());
  const { text, whole } = await readUpTo(answer, MOST);
  if (!whole) throw cannot(`its answer has more than ${MOST} bytes`);
  const { data } = tokenAnswer.safeParse(jsonOf(text));
  const given = data?.token ?? data?.access_token;
  if (!data || given === undefined) throw cannot('there is none in its answer');
  // Counted from before it was issued, by our clock only.
  return { token: given, until: asked + data.expires_in * 900 };
}

/** The value of `Authorization` for a user and a password. @param credentials `USER:PASSWORD`. */
export function basic(credentials: string): string {
  return `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
