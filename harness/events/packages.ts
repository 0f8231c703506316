import { archNames } from '../arch/index.ts';
import type { CellResult } from './result.ts';

/** A package on the architectures that have it. */
export interface PackageRow {
  readonly name: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Whether versions differ between architectures: then no result should be compared without knowing it. */
  readonly differs: boolean;
}

/** The packages of one Debian release in a run. */
export interface PackageComparison {
  readonly release: string;
  /** In the order in which reports show them. */
  readonly archs: readonly string[];
  /** How many there are, dependencies included. */
  readonly count: number;
  /** Packages that a suite names, and packages that differ; sorted by name. */
  readonly rows: readonly PackageRow[];
  /** Archives that the mirror did not serve for an architecture, by its name. */
  readonly missing: Readonly<Record<string, readonly string[]>>;
}

/**
 * The versions of packages on each architecture, by release. A mirror that is being synchronised can have another state
 * of the archive for each architecture: then a difference between architectures is one of versions.
 */
export function comparePackages(cells: readonly Pick<CellResult, 'packages'>[]): PackageComparison[] {
  const found = cells.flatMap(({ packages = {} }) =>
    Object.entries(packages).map(([arch, versions]) => ({ arch, ...versions })),
  );
  const releases = Map.groupBy(found, ({ release }) => release);
  return [...releases].map(([release, lists]) => {
    const known: readonly string[] = archNames;
    const archs = known.filter((arch) => lists.some((list) => list.arch === arch));
    const asked = new Set(lists.flatMap((list) => list.asked));
    const names = [...new Set(lists.flatMap(({ versions }) => Object.keys(versions)))].sort();
    const rows = names.map((name): PackageRow => {
      const versions = Object.fromEntries(
        archs.flatMap((arch) => {
          const list = lists.find((one) => one.arch === arch && Object.hasOwn(one.versions, name));
          return list ? [[arch, list.versions[name]!]] : [];
        }),
      );
      return { name, versions, differs: new Set(Object.values(versions).map(sourceVersion)).size > 1 };
    });
    const missing = lists.flatMap((list) => (list.missing ? [[list.arch, list.missing] as const] : []));
    return {
      release,
      archs,
      count: names.length,
      rows: rows.filter(({ name, differs }) => differs || asked.has(name)),
      missing: Object.fromEntries(missing),
    };
  });
}

/** A version without the suffix of rebuilds of the same source, which differ between architectures: `1.2-3+b1`. */
function sourceVersion(version: string): string {
  return version.replace(/\+b\d+$/, '');
}
