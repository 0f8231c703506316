import { readFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type Socket, connect as tcpConnect } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { InfraError } from '../base/errors.ts';
import { bodyText } from './body.ts';

/** Bytes of an answer that are read. */
const MAX_ANSWER = 2 ** 20;

/** What a controller is known by. */
export interface Trust {
  /** A file with certificates that its own is checked against; default: those of the host. */
  readonly ca?: string | undefined;
  /** SHA-256 of its certificate, `AB:CD:…`. Nothing else is checked then. */
  readonly fingerprint?: string | undefined;
}

export interface Asked extends Trust {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds for all of it. */
  readonly timeoutMs: number;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/**
 * One HTTP request on a connection of its own. Redirections are answers: no password follows them.
 * @throws InfraError when the certificate is not the one that is pinned; Error of Node for what else goes wrong.
 */
export async function ask(url: URL, { method, headers, body, timeoutMs, ca, fingerprint }: Asked): Promise<Answer> {
  const signal = AbortSignal.timeout(timeoutMs);
  const secure = url.protocol === 'https:';
  const pinned = secure && fingerprint !== undefined ? await pinnedSocket(url, fingerprint, signal) : undefined;
  const options = {
    method,
    headers: {
      connection: 'close',
      ...headers,
      ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
    },
    signal,
    // Node asks an agent for a connection, unless there is none and one is given.
    ...(pinned ? { createConnection: () => pinned } : { agent: false as const }),
    ...(secure && !pinned && ca !== undefined ? { ca: await readFile(ca) } : {}),
  };
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      // Over a socket that is encrypted already, HTTP is all that is left to do.
      const request = pinned
        ? httpRequest(
            { ...options, hostname: url.hostname, port: url.port, path: `${url.pathname}${url.search}` },
            resolve,
          )
        : (secure ? httpsRequest : httpRequest)(url, options, resolve);
      request.on('error', reject);
      request.end(body);
    });
    return { status: response.statusCode ?? 0, text: await bodyText(response, MAX_ANSWER) };
  } catch (error) {
    if (signal.aborted) throw new Error(`no answer within ${timeoutMs / 1000} s`, { cause: error });
    throw error;
  } finally {
    pinned?.destroy();
  }
}

/** A connection whose certificate is checked before anything is sent. */
async function pinnedSocket(url: URL, fingerprint: string, signal: AbortSignal): Promise<Socket> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const plain = tcpConnect({ host, port: Number(url.port || 443), signal });
  const socket = tlsConnect({
    socket: plain,
    rejectUnauthorized: false,
    ...(isName(host) ? { servername: host } : {}),
  });
  const stop = () => socket.destroy(new Error('it took too long'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      plain.once('error', reject);
      socket.once('error', reject);
      socket.once('secureConnect', resolve);
    });
  } finally {
    signal.removeEventListener('abort', stop);
  }
  const found = socket.getPeerCertificate().fingerprint256;
  if (found !== fingerprint.toUpperCase()) {
    socket.destroy();
    throw new InfraError(`the certificate of ${url.origin} has the fingerprint ${found}, not ${fingerprint}`, {
      hint: 'Another machine answers, or its certificate was renewed: compare it on the machine itself.',
    });
  }
  return socket;
}

/** Servers are named by names only. */
function isName(host: string): boolean {
  return !/^[\d.]+$|:/.test(host);
}
