import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import lock from '../../package-lock.json' with { type: 'json' };
import { usesOf } from './module-uses.ts';
import nodeLock from './node/package-lock.json' with { type: 'json' };
import { sourceFiles } from './source-files.ts';
import { VENDORED } from './vendor.mjs';

const root = join(import.meta.dirname, '../..');

interface Entry {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly engines?: { readonly node?: string };
  readonly hasInstallScript?: boolean;
  readonly resolved?: string;
}
const packages = lock.packages as Readonly<Record<string, Entry>>;

/** The entry that a package finds a dependency in: its own folder first, then those above it, as Node looks. */
function entryOf(path: string, name: string): string | undefined {
  const entry = path === '' ? `node_modules/${name}` : `${path}/node_modules/${name}`;
  if (packages[entry] !== undefined) return entry;
  return path === '' ? undefined : entryOf(path.slice(0, Math.max(0, path.lastIndexOf('/node_modules/'))), name);
}

/** What npm installs for these: their entries and those of all that they need. */
function closure(path: string, names: readonly string[], found = new Set<string>()): Set<string> {
  for (const name of names) {
    const entry = entryOf(path, name);
    if (entry === undefined || found.has(entry)) continue;
    found.add(entry);
    const { dependencies, optionalDependencies } = packages[entry]!;
    closure(entry, Object.keys({ ...dependencies, ...optionalDependencies }), found);
  }
  return found;
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

test.each([
  ['package-lock.json', lock],
  ['harness/setup/node/package-lock.json', nodeLock],
])('no address of a registry is in %s', (_name, { packages }) => {
  const addresses = Object.entries(packages as Readonly<Record<string, Entry>>).filter(
    ([, { resolved }]) => resolved !== undefined,
  );
  expect(addresses, 'next: npm install --package-lock-only --omit-lockfile-registry-resolved').toEqual([]);
});

// Otherwise npm prints warnings to whoever installs the package on Node 20.
test('npm has nothing to say about a dependency of the package', () => {
  const names = Object.keys(packageJson.dependencies);
  const found = closure('', names);
  expect(found.size).toBeGreaterThan(names.length);
  const loud = [...found].filter((path) => {
    const { engines, hasInstallScript, optional } = packages[path] as Entry & { readonly optional?: boolean };
    return !optional && (hasInstallScript === true || !takesNode20(engines?.node ?? '*'));
  });
  expect(loud, 'next: list it in devDependencies, and in harness/setup/vendor.mjs').toEqual([]);
});

test('what the sources import is a dependency, or is packed with them', async () => {
  const files = sourceFiles(root, ['harness', 'reports']).filter(
    (file) => !/\.(test|e2e)\.ts$|^harness\/(setup|testing)\//.test(file),
  );
  const imported = await Promise.all(
    files.map(async (file) =>
      usesOf(await readFile(join(root, file), 'utf8')).flatMap((use) => (use.kind === 'import' ? [use.specifier] : [])),
    ),
  );
  const names = imported.flat().filter((name) => !/^(\.|node:|multiarch-harness$)/.test(name));
  const wanted = new Set(names.map((name) => /^(@[^/]+\/)?[^/]+/.exec(name)![0]));
  // The package that vitest leaves to its user to choose.
  wanted.add('vite');
  expect([...wanted].toSorted()).toEqual([...VENDORED, ...Object.keys(packageJson.dependencies)].toSorted());
  for (const name of VENDORED) expect(Object.keys(packageJson.devDependencies)).toContain(name);
});

/** Whether a range such as `^20.19.0 || >=22.12.0` has a Node 20 in it. */
function takesNode20(range: string): boolean {
  return range.split('||').some((part) => {
    const [, sign, major] = /^\s*([\^~]|>=?)?\s*v?(\d+|\*)/.exec(part) ?? [];
    if (major === '*') return true;
    return sign?.startsWith('>') ? Number(major) <= 20 : Number(major) === 20;
  });
}
