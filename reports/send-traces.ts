import { InfraError, messageOf } from '../harness/base/errors.ts';
import type { RunResult } from '../harness/events/result.ts';
import { type Traces, tracesOf } from './otlp.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Spans per request: by default a collector accepts 4 MiB. */
const BATCH = 1000;

/** Milliseconds, as the specification has it. */
const TIMEOUT_MS = 10_000;

/** The destination of traces, and its options. */
export interface TraceTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds that all requests together may take. */
  readonly timeoutMs: number;
  readonly resource: Readonly<Record<string, string>>;
  readonly traceparent?: string | undefined;
}

/**
 * The settings in OpenTelemetry's variables; undefined if there are none.
 * Source: https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
export function traceTarget(env: Env): TraceTarget | undefined {
  const off = env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none';
  const own = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];
  const base = env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  if (off || !(own || base)) return undefined;
  const of = (name: string) => env[`OTEL_EXPORTER_OTLP_TRACES_${name}`] ?? env[`OTEL_EXPORTER_OTLP_${name}`];
  const timeoutMs = Number(of('TIMEOUT') ?? TIMEOUT_MS);
  const service = env['OTEL_SERVICE_NAME'];
  return {
    url: own || `${base!.replace(/\/+$/, '')}/v1/traces`,
    headers: pairsOf(of('HEADERS')),
    timeoutMs: timeoutMs > 0 ? timeoutMs : TIMEOUT_MS,
    resource: { ...pairsOf(env['OTEL_RESOURCE_ATTRIBUTES']), ...(service ? { 'service.name': service } : {}) },
    traceparent: env['TRACEPARENT'],
  };
}

/** `key=value,key2=value2`, with values as in a URL. */
function pairsOf(text = ''): Record<string, string> {
  return Object.fromEntries(
    text.split(',').flatMap((pair) => {
      const [, key, value = ''] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
      return key === undefined ? [] : [[key, unescaped(value)]];
    }),
  );
}

function unescaped(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/**
 * Sends a run to an OpenTelemetry collector if the standard variables name one: OTLP over HTTP, in JSON. Otherwise does
 * nothing and returns false.
 * @throws InfraError if the collector does not accept everything in time. Report it as a warning: it says nothing about
 * the run.
 */
export async function sendTraces(run: RunResult, env: Env = process.env): Promise<boolean> {
  const target = traceTarget(env);
  if (!target) return false;
  const signal = AbortSignal.timeout(target.timeoutMs);
  for (const traces of batchesOf(tracesOf(run, target))) await post(target, traces, signal);
  return true;
}

function batchesOf(traces: Traces): Traces[] {
  const [{ resource, scopeSpans }] = traces.resourceSpans as readonly [Traces['resourceSpans'][number]];
  const [{ scope, spans }] = scopeSpans as readonly [(typeof scopeSpans)[number]];
  return Array.from({ length: Math.ceil(spans.length / BATCH) }, (_, index) => ({
    resourceSpans: [{ resource, scopeSpans: [{ scope, spans: spans.slice(index * BATCH, (index + 1) * BATCH) }] }],
  }));
}

async function post({ url, headers, timeoutMs }: TraceTarget, traces: Traces, signal: AbortSignal): Promise<void> {
  const hint = 'OTEL_EXPORTER_OTLP_ENDPOINT names a collector that takes OTLP over HTTP, usually on port 4318.';
  let response: Response;
  try {
    const body = JSON.stringify(traces);
    response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body,
      signal,
    });
    // Read completely, so that the connection can close.
    await response.text();
  } catch (cause) {
    const why = signal.aborted ? `no answer in ${timeoutMs} ms` : messageOf((cause as Error).cause ?? cause);
    throw new InfraError(`cannot send traces to ${url}: ${why}`, { cause, hint });
  }
  if (!response.ok) throw new InfraError(`cannot send traces to ${url}: HTTP ${response.status}`, { hint });
}
