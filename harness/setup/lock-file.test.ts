import { expect, test } from 'vitest';
import lock from '../../package-lock.json' with { type: 'json' };

type Entry = { readonly optionalDependencies?: Readonly<Record<string, string>>; readonly resolved?: string };
const packages = lock.packages as Readonly<Record<string, Entry>>;

/** The entry that a package finds a dependency in: its own folder first, then those above it, as Node looks. */
function entryOf(path: string, name: string): Entry | undefined {
  const entry = packages[path === '' ? `node_modules/${name}` : `${path}/node_modules/${name}`];
  if (entry !== undefined || path === '') return entry;
  return entryOf(path.slice(0, Math.max(0, path.lastIndexOf('/node_modules/'))), name);
}

// A registry that leaves out other systems' packages makes a lock file without them, which `npm ci` refuses elsewhere.
test('every optional dependency of every entry has an entry of its own', () => {
  const optional = Object.entries(packages).flatMap(([path, { optionalDependencies }]) =>
    Object.keys(optionalDependencies ?? {}).map((name) => ({ path, name })),
  );
  expect(optional.length).toBeGreaterThan(20);
  const absent = optional.filter(({ path, name }) => entryOf(path, name) === undefined);
  expect(absent, 'next: npm install --package-lock-only').toEqual([]);
});

test('no address of a registry is in the lock file', () => {
  const addresses = Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined);
  expect(addresses, 'next: npm install --package-lock-only --omit-lockfile-registry-resolved').toEqual([]);
  expect(JSON.stringify(lock)).not.toMatch(/https?:\/\/[^"]*\.tgz/);
});
