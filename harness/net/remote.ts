import { request, serveRequests } from '../base/ask.ts';
import type { Impairment, Lan, PortCounters } from './lan.ts';

/** A LAN of another process, which a scenario changes over a socket. */
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

/** Lets other processes of this user change a LAN. */
export function serveLan(lan: Lan, socketPath: string): Promise<AsyncDisposable> {
  return serveRequests(socketPath, async (asked) => answer(lan, asked as Request));
}

function answer(lan: Lan, asked: Request): unknown {
  switch (asked.do) {
    case 'partition':
      return lan.partition(...asked.groups);
    case 'heal':
      return lan.heal();
    case 'impair':
      return lan.impair(asked.station, asked.impairment);
    case 'counters':
      return lan.counters();
    default:
      throw new Error('unknown request');
  }
}

/** The LAN behind a socket of `serveLan`. */
export function remoteLan(socketPath: string): RemoteLan {
  const ask = (asked: Request) => request(socketPath, asked);
  return {
    partition: async (...groups) => void (await ask({ do: 'partition', groups })),
    heal: async () => void (await ask({ do: 'heal' })),
    impair: async (station, impairment) => void (await ask({ do: 'impair', station, impairment })),
    counters: async () => (await ask({ do: 'counters' })) as Readonly<Record<string, PortCounters>>,
  };
}
