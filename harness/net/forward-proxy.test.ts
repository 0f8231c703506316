import { once } from 'node:events';
import { Agent, createServer, request, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { expect, test } from 'vitest';
import { startForwardProxy } from './forward-proxy.ts';

async function listening<T extends { listen(port: number, host: string): unknown; address(): unknown }>(server: T) {
  await once(server.listen(0, '127.0.0.1') as Server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Asks through a proxy, which Node's client uses as others do. */
async function ask(proxy: string, url: string, { method = 'GET', body = '' } = {}) {
  const agent = new Agent({ proxyEnv: { http_proxy: proxy } } as ConstructorParameters<typeof Agent>[0]);
  const asked = request(url, { agent, method }).end(body);
  const [answer] = await once(asked, 'response');
  let text = '';
  for await (const chunk of answer) text += chunk;
  agent.destroy();
  return { status: answer.statusCode as number, text, headers: answer.headers as Record<string, string> };
}

test('a request goes to the host and port that it names, with its body, and the answer comes back', async () => {
  const server = createServer(async (incoming, answer) => {
    let body = '';
    for await (const chunk of incoming) body += chunk;
    const { method, url, headers } = incoming;
    answer.writeHead(201, { 'x-seen': String(headers.host) }).end(`${method} ${url} ${body}`);
  });
  const port = await listening(server);
  const asked: [string, number][] = [];
  await using proxy = await startForwardProxy((host, at) => {
    asked.push([host, at]);
    return connect(port, '127.0.0.1');
  });
  // A name that only the other end knows.
  const answer = await ask(proxy.url, 'http://cloud:8774/v2.1?limit=1', { method: 'POST', body: 'words' });
  expect(answer).toMatchObject({ status: 201, text: 'POST /v2.1?limit=1 words', headers: { 'x-seen': 'cloud:8774' } });
  expect(asked).toEqual([['cloud', 8774]]);
  expect((await ask(proxy.url, 'http://[::1]/')).status).toBe(201);
  expect(asked.at(-1)).toEqual(['::1', 80]);
  server.close();
});

test('a tunnel carries bytes both ways, and ends with either end', async () => {
  const echo = createTcpServer((socket) => socket.on('data', (data) => socket.write(`echo ${data}`)));
  const port = await listening(echo);
  await using proxy = await startForwardProxy((host, at) => {
    expect([host, at]).toEqual(['cloud', 443]);
    return connect(port, '127.0.0.1');
  });
  const client = connect(Number(new URL(proxy.url).port), '127.0.0.1');
  client.setEncoding('utf8').write('CONNECT cloud:443 HTTP/1.1\r\nHost: cloud:443\r\n\r\n');
  expect((await once(client, 'data'))[0]).toMatch(/^HTTP\/1\.1 200 /);
  client.write('hello');
  expect((await once(client, 'data'))[0]).toBe('echo hello');
  const ended = once(client, 'close');
  echo.close();
  client.end();
  await ended;
});

test('what cannot be reached is 502 with its reason, and what is no proxy request 400', async () => {
  const free = createTcpServer();
  const port = await listening(free);
  await new Promise((resolve) => free.close(resolve));
  await using proxy = await startForwardProxy(() => connect(port, '127.0.0.1'));
  const { status, text } = await ask(proxy.url, 'http://cloud:1/');
  expect([status, text]).toEqual([
    502,
    expect.stringMatching(/^cannot reach cloud:1 from the machine: .*ECONNREFUSED/),
  ]);
  expect((await fetch(`${proxy.url}/v3`)).status).toBe(400);
});
