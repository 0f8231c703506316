import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseAddress } from '../targets/ssh/address.ts';
import type { MachinesConfig } from './machines-schema.ts';
import { machinesSchema } from './machines-schema.ts';
import type { Project } from './project.ts';
import { readYaml } from './yaml.ts';

/** An inventory, or the one machine of a command line. */
export interface Inventory extends Pick<MachinesConfig, 'machines' | 'commands'> {
  /** Its file, relative to the current folder, or `--target`: where errors send people. */
  readonly name: string;
  /** An absolute path. */
  readonly sshConfig?: string;
  /** `machines.yaml:4:3`: where an entry is. */
  whereIs(list: 'machines' | 'commands', name: string): string;
}

export interface InventoryPlaces {
  /** The file that a command line names; default: `machines.yaml` in the project, if there is one. */
  readonly file?: string | undefined;
  /** An `ssh://` address of a command line, in place of every inventory. */
  readonly address?: string | undefined;
  readonly cwd?: string;
}

/** The machines that a command line means. @throws ConfigError for an address or an inventory that cannot be read. */
export async function loadInventory(project: Project, places: InventoryPlaces = {}): Promise<Inventory> {
  const { address, cwd = process.cwd() } = places;
  if (address !== undefined) return inventoryOf(address);
  const file = places.file === undefined ? join(project.root, 'machines.yaml') : resolve(cwd, places.file);
  if (places.file === undefined && !(await stat(file).catch(() => undefined))?.isFile())
    return { name: 'machines.yaml', machines: {}, commands: {}, whereIs: () => 'machines.yaml' };
  const { data, source } = await readYaml(file, machinesSchema, cwd);
  const path = (written: string) => resolve(dirname(file), written.replace(/^~(?=\/)/, homedir()));
  const withKeys = <T extends { key?: string | undefined }>(entries: Record<string, T>): Record<string, T> =>
    Object.fromEntries(
      Object.entries(entries).map(([name, entry]) => [
        name,
        entry.key === undefined ? entry : { ...entry, key: path(entry.key) },
      ]),
    );
  return {
    name: source.name,
    machines: withKeys(data.machines),
    commands: withKeys(data.commands),
    ...(data['ssh-config'] === undefined ? {} : { sshConfig: path(data['ssh-config']) }),
    whereIs: (list, name) => source.place([list, name]),
  };
}

function inventoryOf(address: string): Inventory {
  const { user, host, port } = parseAddress(address);
  const name = host.toLowerCase();
  const machine = {
    address: host,
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port }),
    tags: [],
    cells: 1,
  };
  return { name: '--target', machines: { [name]: machine }, commands: {}, whereIs: () => '--target' };
}
