import { spawn } from 'node:child_process';
import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect } from 'vitest';
import { retryUntil } from '../../harness/base/time.ts';
import { freePorts } from './ports.ts';

/** Debian's registry, on 127.0.0.1. */
export interface LocalRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  stop(): Promise<void>;
}

/**
 * Starts Debian's registry.
 * @param auth its `auth`, if it asks for something.
 */
export async function startRegistry(folder: string, auth?: Readonly<Record<string, unknown>>): Promise<LocalRegistry> {
  const [port] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const config = {
    version: 0.1,
    storage: { filesystem: { rootdirectory: join(folder, 'registry') } },
    http: { addr: address },
    ...(auth ? { auth } : {}),
  };
  // JSON is YAML.
  await writeFile(join(folder, 'config.yml'), JSON.stringify(config));
  const registry = spawn('docker-registry', ['serve', join(folder, 'config.yml')], { stdio: 'ignore' });
  const ended = new Promise((resolve) => registry.once('exit', resolve));
  const stop = async () => {
    registry.kill();
    await ended;
  };
  const status = auth ? 401 : 200;
  try {
    await retryUntil(async () => expect((await fetch(`http://${address}/v2/`)).status).toBe(status), {
      deadlineMs: 60_000,
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { address, stop, [Symbol.asyncDispose]: stop };
}

const SERVICE = 'registry.lab';
const ISSUER = 'tokens.lab';

/** A server of the tokens that a registry wants. */
export interface TokenServer extends AsyncDisposable {
  /** The registry's `auth`. */
  readonly auth: Readonly<Record<string, unknown>>;
  /** Who asked for what: `ci repository:lab/harness:pull,push`, `- …` for nobody. */
  readonly asked: string[];
  /** Makes the tokens from now on ones that have expired, which it does not say; or good ones again. */
  expired: boolean;
}

/**
 * Starts a server of tokens: its users may read and write, and nobody in particular may read.
 * @param users passwords by name.
 */
export async function startTokenServer(folder: string, users: Readonly<Record<string, string>>): Promise<TokenServer> {
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', `/CN=${ISSUER}`, '-days', '2'];
  await execa('openssl', ['req', '-x509', ...curve, ...subject, '-keyout', keyFile, '-out', certFile]);
  const key = createPrivateKey(await readFile(keyFile, 'utf8'));
  const x5c = [new X509Certificate(await readFile(certFile)).raw.toString('base64')];
  const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const tokenFor = (sub: string, access: unknown, now: number) => {
    const times = { iat: now, nbf: now - 10, exp: now + 300 };
    const claims = { iss: ISSUER, sub, aud: SERVICE, ...times, jti: randomUUID(), access };
    const text = `${encode({ typ: 'JWT', alg: 'ES256', x5c })}.${encode(claims)}`;
    return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  };

  const asked: string[] = [];
  const state = { expired: false };
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url!, 'http://x');
    const user = userOf(request);
    asked.push([user?.name ?? '-', ...searchParams.getAll('scope')].join(' '));
    if (searchParams.get('service') !== SERVICE || (user && users[user.name] !== user.password))
      return void response.writeHead(401).end();
    const access = searchParams.getAll('scope').map((scope) => {
      const [type, name, actions = ''] = scope.split(':');
      return { type, name, actions: actions.split(',').filter((action) => user || action === 'pull') };
    });
    const now = Math.floor(Date.now() / 1000) - (state.expired ? 3600 : 0);
    response.end(JSON.stringify({ token: tokenFor(user?.name ?? '', access, now), expires_in: 300 }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const realm = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  return Object.assign(state, {
    auth: { token: { realm, service: SERVICE, issuer: ISSUER, rootcertbundle: certFile } },
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

function userOf({ headers: { authorization } }: IncomingMessage): { name: string; password: string } | undefined {
  const [scheme, text = ''] = authorization?.split(' ') ?? [];
  if (scheme !== 'Basic') return undefined;
  const [name = '', password = ''] = Buffer.from(text, 'base64').toString('utf8').split(':');
  return { name, password };
}
