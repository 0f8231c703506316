import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import type { Impairment, Lan, PortCounters } from './lan.ts';

/** A LAN that another process holds: what a scenario does to it goes over a socket. */
export interface RemoteLan {
  partition(...groups: readonly (readonly string[])[]): Promise<void>;
  heal(): Promise<void>;
  impair(station: string, impairment: Impairment): Promise<void>;
  counters(): Promise<Readonly<Record<string, PortCounters>>>;
}

type Request =
  | { readonly do: 'partition'; readonly groups: readonly (readonly string[])[] }
  | { readonly do: 'heal' }
  | { readonly do: 'impair'; readonly station: string; readonly impairment: Impairment }
  | { readonly do: 'counters' };

/** Lets other processes of this user change a LAN: one line of JSON each way, one after the other. */
export async function serveLan(lan: Lan, socketPath: string): Promise<AsyncDisposable> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    const lines = createInterface({ input: socket });
    lines.on('error', () => {});
    lines.on('line', (line) => {
      try {
        socket.write(`${JSON.stringify({ result: answer(lan, JSON.parse(line) as Request) ?? null })}\n`);
      } catch (error) {
        socket.write(`${JSON.stringify({ error: (error as Error).message })}\n`);
      }
    });
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socketPath, resolve));
  return {
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}

function answer(lan: Lan, request: Request): unknown {
  switch (request.do) {
    case 'partition':
      return lan.partition(...request.groups);
    case 'heal':
      return lan.heal();
    case 'impair':
      return lan.impair(request.station, request.impairment);
    case 'counters':
      return lan.counters();
    default:
      throw new Error('unknown request');
  }
}

/** The LAN behind a socket of `serveLan`. Each request has a connection of its own, so there is nothing to close. */
export function remoteLan(socketPath: string): RemoteLan {
  const ask = (request: Request) =>
    new Promise<unknown>((resolve, reject) => {
      const socket = connect(socketPath, () => socket.write(`${JSON.stringify(request)}\n`));
      socket.once('error', reject);
      const lines = createInterface({ input: socket });
      lines.on('error', reject);
      lines.once('line', (line) => {
        socket.destroy();
        const { error, result } = JSON.parse(line) as { error?: string; result?: unknown };
        if (error === undefined) resolve(result);
        else reject(new Error(error));
      });
      socket.once('close', () => reject(new Error('the LAN does not answer')));
    });
  return {
    partition: async (...groups) => void (await ask({ do: 'partition', groups })),
    heal: async () => void (await ask({ do: 'heal' })),
    impair: async (station, impairment) => void (await ask({ do: 'impair', station, impairment })),
    counters: async () => (await ask({ do: 'counters' })) as Readonly<Record<string, PortCounters>>,
  };
}
