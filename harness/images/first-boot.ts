import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../base/process.ts';
import type { Apt, ResolvedPackage } from './apt.ts';

/** Packages that cannot be configured through qemu-user, and why. Others are found by the limits of a build. */
const NOT_EMULATED: readonly { readonly name: RegExp; readonly why: string }[] = [
  {
    // `mariadb-server`, and in older releases `mariadb-server-10.5`.
    name: /^mariadb-server(?:-[\d.]+)?$/,
    why: 'its bootstrap reserves 8 TiB of addresses, and qemu-user keeps a record of each page: 17 to 20 GB',
  },
];

/** The given packages that are known to be left to the first boot if maintainer scripts are emulated. */
export function knownForFirstBoot(resolved: readonly ResolvedPackage[]): string[] {
  return resolved.map(({ name }) => name).filter((name) => NOT_EMULATED.some((rule) => rule.name.test(name)));
}

/** Why a package is left to the first boot, for people; undefined if it is not in the list. */
export function whyFirstBoot(name: string): string | undefined {
  return NOT_EMULATED.find((rule) => rule.name.test(name))?.why;
}

/** A package's relations to others, from its control file. */
interface Relations {
  readonly name: string;
  /** Names of its dependencies, including alternatives. */
  readonly needs: readonly string[];
  readonly provides: readonly string[];
}

/**
 * Some packages and all installed packages that need one of them to be configured first.
 * @param resolved all packages to install, downloaded.
 */
export async function withDependents(
  apt: Pick<Apt, 'archive'>,
  resolved: readonly ResolvedPackage[],
  left: ReadonlySet<string>,
): Promise<ResolvedPackage[]> {
  if (left.size === 0) return [];
  const all = await Promise.all(resolved.map((one) => relationsOf(apt.archive(one))));
  const names = dependents(all, left);
  return resolved.filter(({ name }) => names.has(name));
}

/** The names of some packages, and of their direct and indirect dependents, by their names or those that they provide. */
export function dependents(all: readonly Relations[], left: ReadonlySet<string>): Set<string> {
  const found = new Set(left);
  const meant = new Set<string>();
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const { name, provides } of all) if (found.has(name)) for (const one of [name, ...provides]) meant.add(one);
    for (const { name, needs } of all) if (needs.some((need) => meant.has(need))) found.add(name);
  }
  return found;
}

async function relationsOf(archive: string): Promise<Relations> {
  const fields = ['Package', 'Depends', 'Pre-Depends', 'Provides'];
  const { stdout } = await run(['dpkg-deb', '--field', archive, ...fields], { purpose: `read ${archive}` });
  return parseRelations(String(stdout));
}

/** Reads `Package: a`, `Depends: b (>= 1), c:any | d`, … */
export function parseRelations(text: string): Relations {
  const field = (name: string) => new RegExp(`^${name}: (.*(?:\\n .*)*)`, 'm').exec(text)?.[1] ?? '';
  const names = (list: string) =>
    list
      .split(/[,|]/)
      .map((one) => /[a-z0-9][a-z0-9+.-]*/.exec(one)?.[0])
      .filter((name) => name !== undefined);
  return {
    name: field('Package'),
    needs: [...names(field('Pre-Depends')), ...names(field('Depends'))],
    provides: names(field('Provides')),
  };
}

/** In a cache entry: the names of packages that are only unpacked, as JSON. */
const LEFT_FILE = 'first-boot.json';

/** Records in a layer's folder the packages left to the first boot. */
export async function noteLeft(folder: string, left: readonly ResolvedPackage[]): Promise<void> {
  if (left.length > 0) await writeFile(join(folder, LEFT_FILE), JSON.stringify(left.map(({ name }) => name)));
}

/** The packages that a layer leaves to the first boot. */
export async function leftIn(folder: string): Promise<string[]> {
  const text = await readFile(join(folder, LEFT_FILE), 'utf8').catch(() => '[]');
  return JSON.parse(text) as string[];
}
