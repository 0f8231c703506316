import { Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** As it came: nothing is unpacked, unlike with `fetch`. */
  readonly body: Buffer;
  /** The controller's port of the connection that it came over. */
  readonly localPort: number | undefined;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  /** Without one, each request has a connection of its own. */
  readonly agent?: Agent;
}

/** One HTTP request and its whole answer. Any status is an answer; only a broken connection rejects. */
export function http(url: string, { method = 'GET', headers = {}, agent }: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: agent ?? false }, (response) => {
      // Read now: a kept socket leaves the response when its last byte has come.
      const localPort = response.socket.localPort;
      buffer(response).then(
        (body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body, localPort }),
        reject,
      );
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** An agent that keeps at most so many connections, closed when it is disposed of. */
export function keepAlive(connections: number): Agent & Disposable {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return Object.assign(agent, { [Symbol.dispose]: () => agent.destroy() });
}
