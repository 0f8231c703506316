import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import { registryAt } from './registry.ts';
import { realmOf } from './token.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server on 127.0.0.1 until the test has ended, and what it was asked: each request's method, URL and `Authorization`. */
async function serve(handler: Handler): Promise<{ readonly origin: string; readonly asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push([request.method, request.url, request.headers.authorization].filter(Boolean).join(' '));
    request.resume().on('end', () => handler(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const answer = (response: ServerResponse, status: number, headers: Record<string, string> = {}, body = '') =>
  void response.writeHead(status, headers).end(body);
function* endless() {
  for (;;) yield 'x'.repeat(65_536);
}
const BASIC = `Basic ${Buffer.from('me:secret').toString('base64')}`;
const pull = { need: 'pull', expected: [200] } as const;
const push = { need: 'push', expected: [202] } as const;
const scopeOf = (actions: string) => encodeURIComponent(`repository:lab/harness:${actions}`);

/** A server of tokens `t1`, `t2`, …, each good for so many seconds. */
function tokens(seconds: number): Promise<{ readonly origin: string; readonly asked: string[] }> {
  let count = 0;
  return serve((_, response) =>
    answer(response, 200, {}, JSON.stringify({ token: `t${++count}`, expires_in: seconds })),
  );
}

/** A registry that takes some tokens, and otherwise names a realm; a function of the request and what it was given. */
function registry(realm: string, good: (token: string, request: IncomingMessage) => boolean, then?: Handler) {
  return serve((request, response) => {
    const { authorization = '' } = request.headers;
    if (good(authorization.replace('Bearer ', ''), request))
      return then ? then(request, response) : answer(response, request.method === 'POST' ? 202 : 200);
    const scope = 'repository:lab/harness:pull';
    answer(response, 401, { 'www-authenticate': `Bearer realm="${realm}/token",service="lab",scope="${scope}"` });
  });
}

describe('tokens', () => {
  test('are asked for once for what is read and once for what is written, with the password, and kept', async () => {
    const realm = await tokens(300);
    const { origin, asked } = await registry(realm.origin, (token, { method }) =>
      method === 'POST' ? token === 't2' : token === 't1',
    );
    const lab = registryAt(origin, 'lab/harness', 'me:secret');
    for (let time = 0; time < 2; time++) await lab.ask('/v2/a', {}, pull);
    for (let time = 0; time < 2; time++) await lab.ask('/v2/b', { method: 'POST' }, push);
    expect(realm.asked).toEqual([
      `GET /token?service=lab&scope=${scopeOf('pull')} ${BASIC}`,
      `GET /token?service=lab&scope=${scopeOf('pull,push')}&scope=${scopeOf('pull')} ${BASIC}`,
    ]);
    expect(asked).toEqual([
      ...['GET /v2/a', 'GET /v2/a Bearer t1', 'GET /v2/a Bearer t1'],
      ...['POST /v2/b', 'POST /v2/b Bearer t2', 'POST /v2/b Bearer t2'],
    ]);
  });

  test('are asked for by anybody where there is no password', async () => {
    const realm = await tokens(300);
    const { origin } = await registry(realm.origin, (token) => token === 't1');
    await registryAt(origin, 'lab/harness', undefined).ask('/v2/a', {}, pull);
    expect(realm.asked).toEqual([`GET /token?service=lab&scope=${scopeOf('pull')}`]);
  });

  test('that have expired are renewed before they are sent, and those that are refused at once', async () => {
    const realm = await tokens(1e-6);
    let refused = '';
    const { origin, asked } = await registry(realm.origin, (token) => token !== '' && token !== refused);
    const lab = registryAt(origin, 'lab/harness', undefined);
    await lab.ask('/v2/a', {}, pull);
    await lab.ask('/v2/a', {}, pull);
    refused = 't3';
    await lab.ask('/v2/a', {}, pull);
    expect(asked.map((line) => line.replace('GET /v2/a', '').trim())).toEqual([
      ...['', 'Bearer t1', 'Bearer t2', 'Bearer t3', 'Bearer t4'],
    ]);
  });

  test('are asked for again when the registry asks for more, and not without an end', async () => {
    const realm = await tokens(300);
    let time = 0;
    const { origin, asked } = await serve((_, response) =>
      answer(response, 401, {
        'www-authenticate': `Bearer realm="${realm.origin}",scope="repository:other:a${++time}"`,
      }),
    );
    const lab = registryAt(origin, 'lab/harness', 'me:secret');
    await expect(lab.ask('/v2/a', {}, pull)).rejects.toThrow(/^127\.0\.0\.1:\d+ answers GET with 401$/);
    expect([asked.length, realm.asked.length]).toEqual([3, 2]);
  });

  test.each<[string, Handler, string]>([
    ['a refusal', (_, response) => answer(response, 403, {}, 'denied\u001b[2J'), '403 denied\\u{1b}[2J'],
    ['a redirect', (_, response) => answer(response, 307, { location: 'http://127.0.0.1:9/' }), 'answers with 307'],
    ['no token', (_, response) => answer(response, 200, {}, '{}'), 'there is none in its answer'],
    ['no JSON', (_, response) => answer(response, 200, {}, '<html>'), 'there is none in its answer'],
    ['a token of two lines', (_, response) => answer(response, 200, {}, '{"token":"a\\r\\nx: y"}'), 'there is none'],
    [
      'an answer without an end',
      (_, response) => void Readable.from(endless()).pipe(response.writeHead(200)),
      'its answer has more than 262144 bytes',
    ],
  ])('%s of their server is an error that says so', async (_what, handler, message) => {
    const realm = await serve(handler);
    const { origin } = await registry(realm.origin, () => false);
    const asking = registryAt(origin, 'lab/harness', 'me:secret').ask('/v2/a', {}, pull);
    await expect(asking).rejects.toThrow('cannot get a token from 127.0.0.1:');
    await expect(asking).rejects.toThrow(message);
    expect(realm.asked.length).toBe(1);
  });
});

describe('the password and the tokens stay with the registry', () => {
  test('a blob that is elsewhere is fetched without them, and nobody there is given any', async () => {
    const realm = await tokens(300);
    const storage = await serve((request, response) =>
      request.url === '/asks'
        ? answer(response, 401, { 'www-authenticate': `Bearer realm="${realm.origin}/evil"` })
        : answer(response, 200),
    );
    const { origin } = await registry(
      realm.origin,
      (token) => token === 't1',
      ({ url }, response) => answer(response, 307, { location: `${storage.origin}${url}` }),
    );
    const lab = registryAt(origin, 'lab/harness', 'me:secret');
    await lab.ask('/blob', {}, pull);
    await expect(lab.ask('/asks', {}, pull)).rejects.toThrow(`${new URL(storage.origin).host} answers GET with 401`);
    expect(storage.asked).toEqual(['GET /blob', 'GET /asks']);
    expect(realm.asked.length).toBe(1);
  });

  test('what is uploaded elsewhere is sent without them', async () => {
    const realm = await tokens(300);
    const storage = await serve((_, response) => answer(response, 401, { 'www-authenticate': 'Basic realm="x"' }));
    const { origin } = await registry(realm.origin, (token) => token === 't1');
    const lab = registryAt(origin, 'lab/harness', 'me:secret');
    await lab.ask('/v2/uploads', { method: 'POST' }, push);
    const upload = lab.ask(`${storage.origin}/put`, { method: 'PUT', body: new Blob(['x']) }, push);
    await expect(upload).rejects.toThrow(`${new URL(storage.origin).host} answers PUT with 401`);
    expect(storage.asked).toEqual(['PUT /put']);
  });

  test('a password is sent to a registry that asks for one, and to no other', async () => {
    const { origin, asked } = await serve((request, response) =>
      request.headers.authorization === BASIC
        ? answer(response, 200)
        : answer(response, 401, { 'www-authenticate': 'Basic realm="the lab"' }),
    );
    await registryAt(origin, 'lab/harness', 'me:secret').ask('/v2/a', {}, pull);
    await expect(registryAt(origin, 'lab/harness', undefined).ask('/v2/a', {}, pull)).rejects.toThrow(
      '401 ($HARNESS_REGISTRY_AUTH names no user)',
    );
    await expect(registryAt(origin, 'lab/harness', 'me:wrong').ask('/v2/a', {}, pull)).rejects.toThrow('401');
    expect(asked.length).toBe(5);
    expect(asked.slice(0, 3)).toEqual(['GET /v2/a', `GET /v2/a ${BASIC}`, 'GET /v2/a']);
  });

  test('what cannot be read is given nothing', async () => {
    const realm = await tokens(300);
    const { origin } = await serve((_, response) =>
      answer(response, 401, { 'www-authenticate': `Bearer realm="${realm.origin}",realm="${realm.origin}"` }),
    );
    const lab = registryAt(origin, 'lab/harness', 'me:secret');
    await expect(lab.ask('/v2/a', {}, pull)).rejects.toThrow('asks for something that cannot be read');
    expect(realm.asked).toEqual([]);
  });
});

test('a registry that says much says it in one short line', async () => {
  const { origin } = await serve((_, response) => answer(response, 500, {}, `a\nb\u202e${'x'.repeat(2 ** 20)}`));
  const failed = await registryAt(origin, 'lab/harness', undefined)
    .ask('/v2/a', {}, pull)
    .catch((error: Error) => error.message);
  expect(failed).toMatch(/ answers GET with 500 a b\\u\{202e\}x+$/);
  expect(String(failed).length).toBeLessThan(400);
});

describe('realms', () => {
  const realm = (text: string | undefined, origin: string) =>
    realmOf({ scheme: 'bearer', params: new Map(text === undefined ? [] : [['realm', text]]) }, origin).href;
  test.each([
    ['https://auth.docker.io/token', 'https://registry-1.docker.io'],
    ['https://auth.lab/token?a=b', 'http://registry.lab:5000'],
    ['http://127.0.0.1:5001/token', 'http://127.0.0.1:5000'],
    ['http://[::1]:5001/token', 'http://localhost:5000'],
  ])('%s of %s', (text, origin) => expect(realm(text, origin)).toBe(text));
  test.each([
    [undefined, 'https://registry.lab'],
    ['', 'https://registry.lab'],
    ['Registry', 'https://registry.lab'],
    ['/token', 'https://registry.lab'],
    ['file:///etc/passwd', 'https://registry.lab'],
    ['data:,{"token":"x"}', 'https://registry.lab'],
    ['http://auth.lab/token', 'https://registry.lab'],
    ['http://auth.lab/token', 'http://registry.lab:5000'],
    ['http://auth.lab/token', 'http://127.0.0.1:5000'],
    ['http://127.0.0.1/token', 'https://127.0.0.1:5000'],
    ['http://127.0.0.1/token', 'http://registry.lab'],
    ['http://127.0.0.1.evil.example/token', 'http://127.0.0.1:5000'],
    ['https://me:secret@auth.lab/token', 'https://registry.lab'],
    ['https://', 'https://registry.lab'],
  ])('%s of %s is refused', (text, origin) => {
    expect(() => realm(text, origin)).toThrow('which is no address with https');
  });
});
