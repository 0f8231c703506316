import type { Inventory } from '../config/load/machines.ts';
import type { KnownCommand } from '../targets/command/provider.ts';
import type { KnownMachine } from '../targets/ssh/machines.ts';

/** The machines of an inventory, in the form that targets need. */
export function machinesOf({ machines, sshConfig, whereIs }: Inventory): KnownMachine[] {
  return Object.entries(machines).map(([name, { address, user, port, arch, tags, key, cells, power }]) => ({
    name,
    destination: user === undefined ? address : `${user}@${address}`,
    port,
    arch,
    tags,
    key,
    sshConfig,
    cells,
    power,
    where: whereIs('machines', name),
  }));
}

/** The commands of an inventory that make machines. */
export function commandsOf({ commands, sshConfig, whereIs }: Inventory): KnownCommand[] {
  return Object.entries(commands).map(([name, { arch, acquire, reconnect, release, tags, key }]) => ({
    name,
    archs: arch,
    acquire,
    reconnect,
    release,
    tags,
    key,
    sshConfig,
    where: whereIs('commands', name),
  }));
}
