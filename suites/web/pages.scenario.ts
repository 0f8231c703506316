import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'multiarch-harness';
import { http, keepAlive } from './http.ts';

const page = (path: string) => readFile(join(import.meta.dirname, 'www', path));

/** What `seq -w 1 9999` in suite.yaml wrote. */
const numbers = Array.from({ length: 9999 }, (_, index) => `${String(index + 1).padStart(4, '0')}\n`).join('');

describe('pages', () => {
  test('the start page, byte for byte', async ({ stack }) => {
    const { status, headers, body } = await http(stack.url('http', '/'));
    expect({ status, type: headers['content-type'] }).toEqual({ status: 200, type: 'text/html' });
    expect(body).toEqual(await page('index.html'));
  });

  test('the index of a folder, and a style sheet with its own type', async ({ stack }) => {
    const about = await http(stack.url('http', '/about/'));
    expect(about.body).toEqual(await page('about/index.html'));
    const style = await http(stack.url('http', '/style.css'));
    expect({ status: style.status, type: style.headers['content-type'] }).toEqual({ status: 200, type: 'text/css' });
    expect(style.body).toEqual(await page('style.css'));
  });

  test('an unknown page is 404, of nginx and of the application', async ({ stack }) => {
    expect((await http(stack.url('http', '/no-such-page'))).status).toBe(404);
    const { status, body } = await http(stack.url('http', '/app/no-such-path'));
    expect({ status, body: body.toString() }).toEqual({ status: 404, body: '{"error":"unknown path"}' });
  });

  test('a page that has not changed is not sent again', async ({ stack }) => {
    const { headers } = await http(stack.url('http', '/style.css'));
    const again = await http(stack.url('http', '/style.css'), { headers: { 'If-None-Match': headers.etag } });
    expect({ status: again.status, bytes: again.body.length }).toEqual({ status: 304, bytes: 0 });
  });
});

describe('gzip', () => {
  test('is used when the client takes it, and unpacks to the same bytes', async ({ stack }) => {
    const packed = await http(stack.url('http', '/numbers.txt'), { headers: { 'Accept-Encoding': 'gzip' } });
    expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
    expect(packed.body.length).toBeLessThan(numbers.length / 2);
    expect(gunzipSync(packed.body).toString() === numbers).toBe(true);
  });

  test('is not used when the client does not ask for it', async ({ stack }) => {
    const plain = await http(stack.url('http', '/numbers.txt'));
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.body.toString() === numbers).toBe(true);
  });
});

describe('ranges', () => {
  test.for([
    { what: 'from the middle', range: 'bytes=25000-25009', expected: '5001\n5002\n', place: '25000-25009' },
    { what: 'the first byte', range: 'bytes=0-0', expected: '0', place: '0-0' },
    { what: 'the last ones', range: 'bytes=-5', expected: '9999\n', place: '49990-49994' },
    { what: 'to the end', range: 'bytes=49985-', expected: '9998\n9999\n', place: '49985-49994' },
  ])('$what', async ({ range, expected, place }, { stack }) => {
    const { status, headers, body } = await http(stack.url('http', '/numbers.txt'), { headers: { Range: range } });
    expect({ status, range: headers['content-range'], body: body.toString() }).toEqual({
      status: 206,
      range: `bytes ${place}/${numbers.length}`,
      body: expected,
    });
  });

  test('beyond the end is 416', async ({ stack }) => {
    const { status, headers } = await http(stack.url('http', '/numbers.txt'), { headers: { Range: 'bytes=49995-' } });
    expect({ status, range: headers['content-range'] }).toEqual({ status: 416, range: `bytes */${numbers.length}` });
  });
});

test('1,000 requests over one connection', async ({ stack }) => {
  using agent = keepAlive(1);
  const url = stack.url('http', '/ping.txt');
  const ports = new Set<number | undefined>();
  const odd: string[] = [];
  for (let index = 0; index < 1000; index++) {
    const { status, body, localPort } = await http(url, { agent });
    ports.add(localPort);
    if (status !== 200 || body.toString() !== 'pong\n') odd.push(`request ${index}: ${status} ${body}`);
  }
  expect(odd).toEqual([]);
  expect([...ports]).toEqual([expect.any(Number)]);
});
