/** The code name of a Debian release, in cells, files and reports. */
export type ReleaseName = 'bookworm' | 'trixie';

/** Everything that differs between Debian releases, as data. No other place branches on a release. */
export interface Release {
  readonly name: ReleaseName;
  /** `VERSION_ID` of its os-release. */
  readonly version: string;
  /** Archives of its packages. The first cannot be missed; the others are left out while a mirror does not serve them. */
  readonly archives: readonly [Archive, ...Archive[]];
  /** The keyring on this host that the archives are verified with. */
  readonly keyring: string;
  /** What every guest has beside the essential packages. */
  readonly basePackages: readonly string[];
  /** Packages that earlier releases had in one: who asks for the key gets these, too. */
  readonly split: Readonly<Record<string, readonly string[]>>;
  /** Folders at the top that its packages have below `usr` only: `bin` has to be a link to `usr/bin`. */
  readonly intoUsr: readonly string[];
  /** Generators of its systemd, beside those that all have, for what a guest does not have. */
  readonly maskedGenerators: readonly string[];
}

/** A part of Debian's archive. */
export interface Archive {
  /** As in sources.list: `trixie-security`. */
  readonly suite: string;
  /** Added to the mirror's address: security has a folder of its own, beside the main one. */
  readonly beside: '' | '-security';
}
