import { type Response, request } from './request.ts';

export interface Answer<T> extends Response<T> {
  /** The token that it issued, if it did. */
  readonly token: string | undefined;
}

/** What a token is good for. Times are ISO 8601. */
export interface Token {
  readonly issued_at: string;
  readonly expires_at: string;
  readonly user: { readonly id: string; readonly name: string };
  readonly project?: { readonly id: string; readonly name: string };
  readonly roles?: readonly { readonly name: string }[];
  readonly catalog?: readonly {
    readonly type: string;
    readonly endpoints: readonly { readonly interface: string; readonly region: string; readonly url: string }[];
  }[];
}

/** Whoever signs in: a user of the default domain with a password, or an application credential. */
export type Who =
  | { readonly user: string; readonly password: string; readonly project?: string }
  | { readonly id: string; readonly secret: string };

export const ADMIN: Who = { user: 'admin', password: 'admin', project: 'admin' };

/** Keystone's API, as a client on the controller sees it. */
export interface Identity {
  /** @param token of who asks; absent: nobody. */
  ask<T>(
    method: string,
    path: string,
    options?: { readonly token?: string; readonly body?: unknown },
  ): Promise<Answer<T>>;
  signIn(who: Who): Promise<Answer<{ readonly token: Token }>>;
  /** A token of an administrator. @throws Error when there is none to be had. */
  admin(): Promise<string>;
  /** What a token is good for, asked by an administrator: 200, or 404 when it is good for nothing. */
  validate(token: string, by: string): Promise<Answer<{ readonly token: Token }>>;
  /** Ends a token before its time. */
  revoke(token: string, by: string): Promise<Answer<unknown>>;
  /** Makes something, and returns it. @throws Error with what Keystone says when it does not. */
  make<T>(kind: string, of: Readonly<Record<string, unknown>>, token: string, at?: string): Promise<T>;
}

/** @param url where Keystone's version 3 is, without an end slash. */
export function identityAt(url: string): Identity {
  const ask: Identity['ask'] = async <T>(
    method: string,
    path: string,
    { token, body }: { readonly token?: string; readonly body?: unknown } = {},
  ) => askWith<T>(method, path, token === undefined ? {} : { 'x-auth-token': token }, body);

  async function askWith<T>(method: string, path: string, headers: Record<string, string>, body?: unknown) {
    const answer = await request<T>(method, `${url}${path}`, headers, body);
    return { ...answer, token: answer.headers.get('x-subject-token') ?? undefined };
  }

  const signIn: Identity['signIn'] = (who) => ask('POST', '/auth/tokens', { body: { auth: identityOf(who) } });
  return {
    ask,
    signIn,
    async admin() {
      const { status, token, body } = await signIn(ADMIN);
      if (token === undefined) throw new Error(`no token: ${status} ${JSON.stringify(body)}`);
      return token;
    },
    validate: (token, by) => askWith('GET', '/auth/tokens', { 'x-auth-token': by, 'x-subject-token': token }),
    revoke: (token, by) => askWith('DELETE', '/auth/tokens', { 'x-auth-token': by, 'x-subject-token': token }),
    async make<T>(kind: string, of: Readonly<Record<string, unknown>>, token: string, at = `/${kind}s`) {
      const { status, body } = await ask<Record<string, T>>('POST', at, { token, body: { [kind]: of } });
      if (status !== 201) throw new Error(`POST ${at}: ${status} ${JSON.stringify(body)}`);
      return body[kind]!;
    },
  };
}

function identityOf(who: Who): unknown {
  if ('id' in who) return { identity: { methods: ['application_credential'], application_credential: who } };
  const { user, password, project } = who;
  const domain = { id: 'default' };
  return {
    identity: { methods: ['password'], password: { user: { name: user, domain, password } } },
    ...(project === undefined ? {} : { scope: { project: { name: project, domain } } }),
  };
}
