import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { deadlineMs } from 'multiarch-harness';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/**
 * One HTTP request and its whole answer, over a connection of its own: one that is cut or late takes no other with it.
 * @param seconds native seconds for all of it.
 * @throws Error that says which machine did not answer.
 */
export async function ask(
  who: string,
  url: string,
  { method = 'GET', body, seconds }: { readonly method?: string; readonly body?: unknown; readonly seconds: number },
): Promise<Answer> {
  const ms = deadlineMs(seconds);
  const signal = AbortSignal.timeout(ms);
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const headers = sent === undefined ? {} : { 'content-type': 'application/json' };
  try {
    return await new Promise((resolve, reject) => {
      const asked = request(url, { method, headers, agent: false, signal }, (response) => {
        text(response).then((got) => resolve({ status: response.statusCode ?? 0, text: got }), reject);
      });
      asked.on('error', reject);
      asked.end(sent);
    });
  } catch (cause) {
    const why = signal.aborted ? `no answer within ${(ms / 1000).toFixed(1)} s` : (cause as Error).message;
    throw new Error(`${who}: ${method} ${new URL(url).pathname}: ${why}`, { cause });
  }
}
