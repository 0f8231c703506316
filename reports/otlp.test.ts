import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { fixtureRun, hostileRun } from './fixtures/run.ts';
import { type Span, type Traces, tracesOf } from './otlp.ts';
import { sendTraces, traceTarget } from './send-traces.ts';

const run = await fixtureRun();
const spansOf = (traces: Traces): readonly Span[] =>
  traces.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
const attributes = ({ attributes: all }: Pick<Span, 'attributes'>) =>
  Object.fromEntries(all.map(({ key, value }) => [key, Object.values(value)[0]]));

test('run, cell, step and test are nested spans', () => {
  const spans = spansOf(tracesOf(run));
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  expect(byId.size).toBe(spans.length);
  const way = (span: Span): string[] => {
    const parent = span.parentSpanId === undefined ? undefined : byId.get(span.parentSpanId)!;
    return [...(parent ? way(parent) : []), span.name];
  };
  const failed = spans.find(({ name, status }) => name.startsWith('counter > is right') && status?.code === 2)!;
  expect(way(failed)).toEqual([
    'harness run nightly',
    'arm64/vm/web',
    'scenarios',
    'counter > is right after 8 clients increment it 100 times each',
  ]);
  expect(failed.status!.message).toBe('expected 797 to be 800 // Object.is equality');
  expect(attributes(failed)).toMatchObject({
    'test.case.result.status': 'fail',
    'harness.arch': 'arm64',
    'harness.accelerator': 'tcg',
  });
  expect(attributes(failed.events[0]!)['exception.type']).toBe('AssertionError');
  for (const { startTimeUnixNano, endTimeUnixNano } of spans)
    expect(BigInt(endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(startTimeUnixNano));
});

test('a run joins the trace of the CI', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const [top, ...others] = spansOf(tracesOf(run, { traceparent }));
  expect(top).toMatchObject({ traceId: '0af7651916cd43dd8448eb211c80319c', parentSpanId: 'b7ad6b7169203331' });
  expect(new Set(others.map(({ traceId }) => traceId))).toEqual(new Set([top!.traceId]));
});

test.each([
  [{}, undefined],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, undefined],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:4318', OTEL_SDK_DISABLED: 'true' }, undefined],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:4318', OTEL_TRACES_EXPORTER: 'none' }, undefined],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:4318/' }, { url: 'http://a:4318/v1/traces', timeoutMs: 10_000 }],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://b/in' },
    { url: 'http://b/in' },
  ],
  [
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x, y = 1',
      OTEL_EXPORTER_OTLP_TIMEOUT: '300',
      OTEL_SERVICE_NAME: 'ours',
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=theirs,team=ports',
    },
    {
      headers: { authorization: 'Bearer x', y: '1' },
      timeoutMs: 300,
      resource: { 'service.name': 'ours', team: 'ports' },
    },
  ],
])("OpenTelemetry's variables %j", (env, target) => {
  if (target === undefined) expect(traceTarget(env)).toBeUndefined();
  else expect(traceTarget(env)).toMatchObject(target);
});

/** A collector that answers as it is told; with no status it never does. */
async function collector(status?: number) {
  const requests: { url: string | undefined; headers: IncomingHttpHeaders; body: Traces }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests.push({ url: request.url, headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) });
      if (status !== undefined) response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { requests, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test('a collector gets every span once, in requests that are not too large', async () => {
  const { requests, url } = await collector(200);
  const [cell] = run.cells;
  const many = Array.from({ length: 2500 }, (_, index) => ({ ...cell!.tests[0]!, name: `test ${index}` }));
  const large = { ...run, cells: [{ ...cell!, tests: many }] };
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_HEADERS: 'x-key=1' };
  expect(await sendTraces(large, env)).toBe(true);
  expect(requests.map(({ url: path, headers }) => [path, headers['content-type'], headers['x-key']])).toEqual(
    Array(3).fill(['/v1/traces', 'application/json', '1']),
  );
  const ids = requests.flatMap(({ body }) => spansOf(body)).map(({ spanId }) => spanId);
  expect(new Set(ids)).toEqual(new Set(spansOf(tracesOf(large)).map(({ spanId }) => spanId)));
  expect(ids).toHaveLength(new Set(ids).size);
});

test('nothing is sent unless configured', async () => {
  expect(await sendTraces(run, {})).toBe(false);
});

test('a collector that refuses, is missing or never answers is named within the deadline', async () => {
  const [refusing, silent] = [await collector(503), await collector()];
  const send = (url: string, timeout = '5000') =>
    sendTraces(run, { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_TIMEOUT: timeout });
  await expect(send(refusing.url)).rejects.toThrow(`cannot send traces to ${refusing.url}/v1/traces: HTTP 503`);
  await expect(send('http://127.0.0.1:1')).rejects.toThrow(/cannot send traces to .*: (connect ECONNREFUSED|bad port)/);
  await expect(send('no url')).rejects.toThrow('cannot send traces to no url/v1/traces');
  await expect(send(silent.url, '200')).rejects.toThrow('no answer in 200 ms');
});

/** The parts of OTLP's messages that are used here, with the rules of its JSON: ids in hexadecimal, 64 bits as text. */
test('ids, times and values are valid whatever a guest prints', () => {
  const traces = JSON.parse(JSON.stringify(tracesOf(hostileRun(run)))) as Traces;
  for (const span of spansOf(traces)) {
    expect(span.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(span.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(span.startTimeUnixNano).toMatch(/^\d{19}$/);
    for (const { key, value } of span.attributes) {
      expect(key).toMatch(/^[a-z][a-z_.]+$/);
      expect(Object.keys(value)).toHaveLength(1);
    }
  }
});
