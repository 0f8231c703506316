import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Duplex, pipeline } from 'node:stream';
import { messageOf } from '../base/errors.ts';

/** Opens a connection to a port of a host, by a name or an address; it errors when there is none to be had. */
export type Connect = (host: string, port: number) => Duplex;

/** A running proxy; disposal ends it, with what goes through it. */
export interface ForwardProxy extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, as `http_proxy` and `https_proxy` want it. */
  readonly url: string;
}

/** Headers for the proxy itself. */
const OURS = ['proxy-connection', 'proxy-authorization'];

/**
 * An HTTP proxy on this host whose connections are opened by `connect`: clients that use it reach what, and by the names
 * that, the other end does. It does not keep the process from exiting.
 * Source: https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2 and https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6
 */
export async function startForwardProxy(connect: Connect): Promise<ForwardProxy> {
  const open = new Set<Duplex>();
  const connected: Connect = (host, port) => {
    const stream = connect(host, port);
    open.add(stream);
    return stream.once('close', () => open.delete(stream));
  };
  const server = createServer((incoming, answer) => passRequest(incoming, answer, connected));
  server.on('connect', (incoming, client: Duplex, first: Buffer) => passTunnel(incoming, client, first, connected));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  server.unref();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const stream of open) stream.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A request that names its server in full: `GET http://host:port/path`. */
function passRequest(incoming: IncomingMessage, answer: ServerResponse, connect: Connect): void {
  const url = URL.parse(incoming.url ?? '');
  if (url?.protocol !== 'http:') {
    answer.writeHead(400).end('cannot pass on a request that does not name an http server: this is a proxy\n');
    return;
  }
  const headers = Object.fromEntries(Object.entries(incoming.headers).filter(([name]) => !OURS.includes(name)));
  const onward = request({
    method: incoming.method,
    path: `${url.pathname}${url.search}`,
    headers: { ...headers, host: url.host, connection: 'close' },
    createConnection: () => connect(hostOf(url), Number(url.port || 80)),
  });
  onward.on('response', (response) => {
    answer.writeHead(response.statusCode ?? 502, response.statusMessage, response.headers);
    pipeline(response, answer, () => undefined);
  });
  onward.on('error', (error) => {
    if (answer.headersSent) answer.destroy();
    else answer.writeHead(502).end(`cannot reach ${url.host} from the machine: ${messageOf(error)}\n`);
  });
  pipeline(incoming, onward, () => undefined);
}

/** `CONNECT host:port`: bytes both ways. */
function passTunnel(incoming: IncomingMessage, client: Duplex, first: Buffer, connect: Connect): void {
  const url = URL.parse(`tunnel://${incoming.url}`);
  if (!url?.port) {
    client.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    return;
  }
  const server = connect(hostOf(url), Number(url.port));
  client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
  if (first.length > 0) server.write(first);
  pipeline(client, server, () => undefined);
  pipeline(server, client, () => undefined);
}

/** A host as sockets want it: an IPv6 address without brackets. */
function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
