import { ConfigError } from '../base/errors.ts';
import { run } from '../base/process.ts';
import type { Owned } from './files.ts';

/** The users and groups of a file system: their numbers, by name. */
export interface Accounts {
  readonly users: Readonly<Record<string, number>>;
  readonly groups: Readonly<Record<string, number>>;
}

/** Reads `etc/passwd` and `etc/group` of a root file system, a tar file. */
export async function accountsOf(rootfs: string): Promise<Accounts> {
  const read = async (name: string) =>
    String((await run(['tar', '-xOf', rootfs, `./etc/${name}`], { purpose: `read ${name} of the image` })).stdout);
  return { users: parseAccounts(await read('passwd')), groups: parseAccounts(await read('group')) };
}

/** The numbers in a file such as `/etc/passwd`, by name. */
export function parseAccounts(text: string): Record<string, number> {
  const rows = text.split('\n').map((line) => line.split(':'));
  return Object.fromEntries(rows.flatMap(([name, , id]) => (name && id ? [[name, Number(id)]] : [])));
}

/**
 * The numeric owner and group of a file.
 * @throws ConfigError when the file system has no such user or group.
 */
export function idsOf(
  { path, owner, group }: Owned & { readonly path: string },
  { users, groups }: Accounts,
): { readonly uid: number; readonly gid: number } {
  const find = (kind: 'user' | 'group', known: Accounts['users'], name: string | undefined) => {
    if (name === undefined) return 0;
    const id = /^\d+$/.test(name) ? Number(name) : known[name];
    if (id !== undefined) return id;
    throw new ConfigError(`cannot give ${path} to ${kind} "${name}": the image has no such ${kind}`, {
      hint: `The ${kind} has to come with a package of the stack; one that is configured in the first boot makes its own only then.`,
    });
  };
  return { uid: find('user', users, owner), gid: find('group', groups, group) };
}
