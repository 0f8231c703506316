import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../base/files.ts';
import type { CellNode } from '../../matrix/nodes.ts';
import { createLan, type Lan } from '../../net/lan.ts';
import { serveLan } from '../../net/remote.ts';
import type { LanPlace } from '../../targets/target.ts';

/** The network of a cluster's machines, and each machine's address in it. */
export interface ClusterNetwork extends AsyncDisposable {
  readonly lan: Lan;
  /** Control socket through which other processes change the network. */
  readonly controlSocket: string;
  place(node: string): LanPlace;
  /** The cable of a blank node, which gets an address from whoever gives it one. */
  cable(node: string): Pick<LanPlace, 'socket' | 'mac'>;
  /** A path for a socket in its private folder. */
  socket(name: string): string;
}

/** A private network with one fixed address per node: `10.77.0.11` is the first. */
const addressOf = (index: number) => `10.77.0.${11 + index}`;

/** @param folder private and with a short path, for sockets; removed with the network. */
export async function createNetwork(
  nodes: readonly CellNode[],
  blanks: readonly CellNode[],
  folder: string,
): Promise<ClusterNetwork> {
  const lan = createLan();
  const controlSocket = join(folder, 'lan');
  const served = await serveLan(lan, controlSocket);
  const hosts = nodes.map(({ name }, index) => `${addressOf(index)} ${name}`);
  const cables = new Map<string, Pick<LanPlace, 'socket' | 'mac'>>();
  const places = new Map<string, LanPlace>();
  for (const [index, { name }] of [...nodes, ...blanks].entries()) {
    const socket = join(folder, `lan${index}`);
    await lan.plug(name, socket);
    const mac = `52:54:00:77:00:${(11 + index).toString(16).padStart(2, '0')}`;
    cables.set(name, { socket, mac });
    if (index < nodes.length) places.set(name, { socket, mac, address: `${addressOf(index)}/24`, hosts });
  }
  return {
    lan,
    controlSocket,
    place: (node) => places.get(node)!,
    cable: (node) => cables.get(node)!,
    socket: (name) => join(folder, name),
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]();
      await lan[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Keeps what explains a failure of the network: the switch's counters, and the last frames of each machine. @returns the files. */
export async function networkEvidence({ lan }: ClusterNetwork, folder: string): Promise<string[]> {
  const counters = join(folder, 'lan.json');
  await writeFile(counters, `${JSON.stringify(lan.counters(), null, 1)}\n`);
  const captures = Object.entries(lan.captures()).map(async ([node, bytes]) => {
    makeFolder(join(folder, node));
    const file = join(folder, node, 'lan.pcap');
    await writeFile(file, bytes);
    return file;
  });
  return [counters, ...(await Promise.all(captures))];
}
