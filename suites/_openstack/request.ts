import { Agent, get } from 'node:http';
import { deadlineMs } from 'multiarch-harness';

/** What a service answers: any status is an answer. */
export interface Response<T> {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined where it is empty. */
  readonly body: T;
}

/**
 * Asks a service that speaks JSON.
 * @param body sent as JSON, or as it is if it is a form. @throws Error when there is no answer.
 */
export async function request<T>(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  body?: unknown,
): Promise<Response<T>> {
  const form = body instanceof FormData;
  const response = await fetch(url, {
    method,
    headers: { ...(form ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(deadlineMs(30)),
  });
  const text = await response.text();
  // Murano says that nothing is JSON, too.
  const json = text !== '' && /\bjson\b/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    body: (json ? JSON.parse(text) : text || undefined) as T,
  };
}

/**
 * Follows an address of the machine's own, such as a catalogue has them, by the machine's proxy; the status of the answer.
 */
export function follow(url: string, proxy: string): Promise<number> {
  const agent = new Agent({ proxyEnv: { http_proxy: proxy } });
  return new Promise((resolve, reject) => {
    get(url, { agent, signal: AbortSignal.timeout(deadlineMs(30)) }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
    }).once('error', reject);
  });
}
