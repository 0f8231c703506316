import { request } from '../base/ask.ts';
import type { PowerState } from '../bmc/bmc.ts';
import type { Fault, RedfishService } from '../bmc/service.ts';
import type { BlankMachine, BootSource } from './blank.ts';

export type { Fault } from '../bmc/service.ts';

/** What another process asks of blank machines and of their BMC. */
export type AskedOfBlanks =
  | { readonly do: 'power' | 'on' | 'off' | 'reset'; readonly node: string }
  | { readonly do: 'nextBoot'; readonly node: string; readonly from: BootSource; readonly once: boolean }
  | { readonly do: 'consoleTail'; readonly node: string; readonly lines?: number | undefined }
  | { readonly do: 'fault'; readonly node: string; readonly fault: Fault }
  | { readonly do: 'requests' };

/** What a process that does not own a blank machine can do with it. */
export type RemoteBlank = Pick<BlankMachine, 'power' | 'on' | 'off' | 'reset' | 'nextBoot' | 'consoleTail'>;

/** Answers for some blank machines and their BMC. */
export async function answerFor(
  machines: readonly BlankMachine[],
  bmc: Pick<RedfishService, 'fault' | 'requests'>,
  asked: AskedOfBlanks,
): Promise<unknown> {
  if (asked.do === 'requests') return bmc.requests;
  if (asked.do === 'fault') return bmc.fault(asked.node, asked.fault);
  const machine = machines.find(({ name }) => name === asked.node);
  if (!machine) throw new Error(`there is no blank node ${asked.node}`);
  switch (asked.do) {
    case 'nextBoot':
      return machine.nextBoot(asked.from, asked.once);
    case 'consoleTail':
      return machine.consoleTail(asked.lines);
    default:
      return machine[asked.do]();
  }
}

/** A blank machine behind a socket that `answerFor` answers. */
export function remoteBlank(socketPath: string, node: string): RemoteBlank {
  const ask = (asked: AskedOfBlanks) => request(socketPath, asked);
  return {
    power: async () => (await ask({ node, do: 'power' })) as PowerState,
    on: async () => void (await ask({ node, do: 'on' })),
    off: async () => void (await ask({ node, do: 'off' })),
    reset: async () => void (await ask({ node, do: 'reset' })),
    nextBoot: async (from, once = false) => void (await ask({ node, do: 'nextBoot', from, once })),
    consoleTail: async (lines) => (await ask({ node, do: 'consoleTail', lines })) as string[],
  };
}

/** Their BMC behind the same socket. */
export function remoteBmc(socketPath: string): {
  fault(node: string, fault: Fault): Promise<void>;
  requests(): Promise<number>;
} {
  return {
    fault: async (node, fault) =>
      void (await request(socketPath, { do: 'fault', node, fault } satisfies AskedOfBlanks)),
    requests: async () => (await request(socketPath, { do: 'requests' } satisfies AskedOfBlanks)) as number,
  };
}
