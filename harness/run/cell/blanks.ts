import type { ArchName } from '../../arch/index.ts';
import { serveRequests } from '../../base/ask.ts';
import { type RedfishService, type ServedSystem, serveRedfish } from '../../bmc/service.ts';
import type { BlankCellNode } from '../../matrix/nodes.ts';
import type { BlankMachine } from '../../targets/blank.ts';
import { type AskedOfBlanks, answerFor } from '../../targets/blank-remote.ts';

/** A blank machine of a cell. */
type CellBlank = BlankMachine & { readonly arch: ArchName };

/** The blank machines of a cell, and their BMC. Disposal ends them. */
export interface StartedBlanks extends AsyncDisposable {
  readonly machines: readonly CellBlank[];
  /** Where other processes of this user switch them. */
  readonly socket: string;
  /** Their BMC, as the cell's first machine reaches it. */
  readonly bmc: { readonly url: string; readonly user: string; readonly password: string };
  /** Whether one of them has been switched on. */
  readonly used: boolean;
}

/** The port of the BMC on that machine's loopback interface: that of OpenStack's own emulator. */
export const BMC_PORT = 8000;
/** It guards nothing: only that machine reaches the BMC. */
const LOGIN = { user: 'admin', password: 'secret' } as const;

/**
 * Makes the blank machines of a cell with a BMC for all of them, and lets other processes use them.
 * @param make makes one, switched off.
 * @param sockets paths: where they are switched, and where the BMC listens.
 */
export async function startBlanks(
  nodes: readonly BlankCellNode[],
  make: (node: BlankCellNode) => Promise<BlankMachine>,
  sockets: { readonly control: string; readonly bmc: string },
): Promise<StartedBlanks> {
  const machines: CellBlank[] = [];
  let used = false;
  let bmc: RedfishService | undefined;
  const end = async () => {
    await bmc?.[Symbol.asyncDispose]();
    await Promise.all(machines.map((machine) => machine[Symbol.asyncDispose]()));
  };
  try {
    for (const node of nodes) {
      const machine = await make(node);
      const on = () => {
        used = true;
        return machine.on();
      };
      machines.push({ ...machine, on, arch: node.arch });
    }
    const systems = Object.fromEntries(machines.map((machine) => [machine.name, servedSystem(machine)]));
    bmc = await serveRedfish({ ...LOGIN, systems, socket: sockets.bmc });
    const service = bmc;
    const served = await serveRequests(sockets.control, (asked) =>
      answerFor(machines, service, asked as AskedOfBlanks),
    );
    return {
      machines,
      socket: sockets.control,
      bmc: { url: `http://127.0.0.1:${BMC_PORT}`, ...LOGIN },
      get used() {
        return used;
      },
      async [Symbol.asyncDispose]() {
        await served[Symbol.asyncDispose]();
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** A blank machine as its BMC has it. It looks on the network first, as it does where nobody chooses. */
function servedSystem({ power, on, off, reset, nextBoot, bootsOnceFrom, mac }: BlankMachine): ServedSystem {
  return {
    state: power,
    ...{ on, off, reset },
    boot: { choose: nextBoot, once: bootsOnceFrom, usual: 'network' },
    macs: [mac],
  };
}
