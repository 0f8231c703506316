import type { Apt, ResolvedPackage } from './apt.ts';
import type { ImageRequest } from './build.ts';

/** What an image is made of, for reports. */
export interface ImagePackages {
  /** Those that the suite names, for its machines and its container images; sorted. */
  readonly asked: readonly string[];
  /** The version of each package, dependencies included; sorted by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** Archives that the mirror did not serve in one piece: `trixie-security`. Absent: none. */
  readonly missing?: readonly string[];
}

/** @param resolved everything that goes into the machine and its container images; of one name, one version. */
export function imagePackages(
  { packages, containers }: Pick<ImageRequest, 'packages' | 'containers'>,
  { missing }: Pick<Apt, 'missing'>,
  resolved: readonly ResolvedPackage[],
): ImagePackages {
  const asked = new Set([...packages, ...containers.flatMap((spec) => spec.packages)]);
  const sorted = resolved.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    asked: [...asked].sort(),
    versions: Object.fromEntries(sorted.map(({ name, version }) => [name, version])),
    ...(missing.length > 0 ? { missing } : {}),
  };
}
