import type { Apt, ResolvedPackage } from './apt.ts';
import type { ImageRequest } from './build.ts';

/** The packages of an image, for reports. */
export interface ImagePackages {
  /** Packages that the suite names, for its machines and its container images; sorted. */
  readonly asked: readonly string[];
  /** The version of each package, dependencies included; sorted by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** Archives that the mirror did not serve completely: `trixie-security`. Absent: none. */
  readonly missing?: readonly string[];
}

/** @param resolved all packages of the machine and its container images; one version per name. */
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
