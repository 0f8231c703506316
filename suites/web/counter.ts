import type { Agent } from 'node:http';
import { http } from './http.ts';

/** A counter of the application, under a name that no other test has. */
export interface Counter {
  readonly add: (agent?: Agent) => Promise<number>;
  readonly value: () => Promise<number>;
}

/** @param base URL of `/app/counter`. */
export function newCounter(base: string): Counter {
  const url = `${base}/${crypto.randomUUID()}`;
  const ask = async (method: string, agent?: Agent): Promise<number> => {
    const { status, body } = await http(url, { method, ...(agent ? { agent } : {}) });
    if (status !== 200) throw new Error(`${method} ${url} answered ${status}: ${body}`);
    return (JSON.parse(body.toString()) as { value: number }).value;
  };
  return { add: (agent) => ask('POST', agent), value: () => ask('GET') };
}
