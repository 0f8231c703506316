import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { ConfigError } from '../../base/errors.ts';
import type { PowerSpec } from '../../bmc/spec.ts';
import { parseAddress } from '../../targets/ssh/address.ts';
import { problemsOf } from '../../yaml/issues.ts';
import { yamlFile } from '../../yaml/yaml-file.ts';
import { openYaml, type Problem, shownPath, type YamlSource } from '../../yaml/yaml-source.ts';
import type { EngineConfig } from '../schema/engines.ts';
import type { MachinesConfig } from '../schema/machines.ts';
import { machinesSchema } from '../schema/machines.ts';
import type { Project } from './project.ts';

type MachineEntry = Omit<MachinesConfig['machines'][string], 'power'> & { readonly power?: PowerSpec };

/** An inventory, or the one machine of a command line. Paths in it are absolute. */
export interface Inventory extends Pick<MachinesConfig, 'commands' | 'engines'> {
  readonly machines: Readonly<Record<string, MachineEntry>>;
  /** Its file, relative to the current folder, or `--target`: named in errors. */
  readonly name: string;
  /** An absolute path. */
  readonly sshConfig?: string;
  /** `machines.yaml:4:3`: where an entry is. */
  whereIs(list: InventoryList, name: string): string;
  /** Mistakes of entries that were left out: errors only for runs that use the list. */
  readonly problems: Readonly<Partial<Record<InventoryList, ConfigError>>>;
}

const LISTS = ['machines', 'commands', 'engines'] as const;
type InventoryList = (typeof LISTS)[number];

export interface InventoryPlaces {
  /** The file that a command line names; default: `machines.yaml` in the project, if there is one. */
  readonly file?: string | undefined;
  /** An `ssh://` address of a command line, which replaces every inventory. */
  readonly address?: string | undefined;
  readonly cwd?: string;
}

/** The machines of a command line. @throws ConfigError for an invalid address or an unreadable inventory. */
export async function loadInventory(project: Project, places: InventoryPlaces = {}): Promise<Inventory> {
  const { address, cwd = process.cwd() } = places;
  if (address !== undefined) return inventoryOf(address);
  const file = places.file === undefined ? await yamlFile(project.root, 'machines', cwd) : resolve(cwd, places.file);
  if (file === undefined) return { ...NOTHING, name: 'machines.yaml', whereIs: () => 'machines.yaml' };
  const read = await readEntries(file, cwd).catch((error: unknown) => {
    // A named file has to be usable; the default one may be irrelevant to this run.
    if (places.file !== undefined || !(error instanceof ConfigError)) throw error;
    return error;
  });
  if (read instanceof ConfigError)
    return {
      ...NOTHING,
      name: shownPath(file, cwd),
      whereIs: () => '',
      problems: { machines: read, commands: read, engines: read },
    };
  const { data, source, problems } = read;
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
    machines: Object.fromEntries(
      Object.entries(withKeys(data.machines)).map(([name, { power, ...entry }]) => [
        name,
        power === undefined ? entry : { ...entry, power: powerOf(power, path) },
      ]),
    ),
    commands: withKeys(data.commands),
    engines: Object.fromEntries(Object.entries(data.engines).map(([name, entry]) => [name, withPaths(entry)])),
    ...(data['ssh-config'] === undefined ? {} : { sshConfig: path(data['ssh-config']) }),
    whereIs: (list, name) => source.place([list, name]),
    problems,
  };
}

function powerOf(
  power: NonNullable<MachinesConfig['machines'][string]['power']>,
  path: (written: string) => string,
): PowerSpec {
  if ('off' in power) return power;
  const { 'password-file': passwordFile, ...spec } = power;
  const login = { passwordFile: path(passwordFile) };
  if ('ipmi' in spec) return { ...spec, ...login };
  return { ...spec, ...login, ...(spec.ca === undefined ? {} : { ca: path(spec.ca) }) };
}

/** An engine whose folder has a place: `~/` and variables stand for what they do in a shell. */
function withPaths(entry: EngineConfig, env: Readonly<Record<string, string | undefined>> = process.env): EngineConfig {
  const shared = entry.shared
    .replace(/^~(?=\/)/, homedir())
    .replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced?: string, bare?: string) => env[(braced ?? bare)!] ?? '');
  return { ...entry, shared: resolve(shared) };
}

const NOTHING = { machines: {}, commands: {}, engines: {}, problems: {} } as const;

interface Entries {
  readonly data: MachinesConfig;
  readonly source: YamlSource;
  readonly problems: Inventory['problems'];
}

/** Reads an inventory, without the entries that have a mistake. */
async function readEntries(file: string, cwd: string): Promise<Entries> {
  const source = await openYaml(file, cwd);
  const whole = machinesSchema.safeParse(source.value);
  if (whole.success) return { data: whole.data, source, problems: {} };
  const wrong = problemsOf(whole.error.issues, machinesSchema, source.value);
  const ofEntry = ({ path }: Problem) => LISTS.find((list) => path[0] === list && path.length > 1);
  if (wrong.some((problem) => ofEntry(problem) === undefined)) throw source.error(wrong);
  const without = structuredClone(source.value) as Record<InventoryList, Record<string, unknown>>;
  for (const { path } of wrong) delete without[path[0] as InventoryList][String(path[1])];
  const problems: Partial<Record<InventoryList, ConfigError>> = {};
  for (const list of LISTS) {
    const own = wrong.filter((problem) => ofEntry(problem) === list);
    if (own.length > 0) problems[list] = source.error(own);
  }
  return { data: machinesSchema.parse(without), source, problems };
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
  return { ...NOTHING, name: '--target', machines: { [name]: machine }, whereIs: () => '--target' };
}
