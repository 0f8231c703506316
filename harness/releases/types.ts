import type { ReleaseName } from './index.ts';

/** Everything that differs between Debian releases, as data. No other place branches on a release. */
export interface Release {
  readonly name: ReleaseName;
  /** `VERSION_ID` of its os-release. */
  readonly version: string;
  /** Archives of its packages. The first is required; the others are left out while a mirror does not serve them. */
  readonly archives: readonly [Archive, ...Archive[]];
  /** The keyring on this host that verifies the archives. */
  readonly keyring: string;
  /** Packages of every guest in addition to the essential ones. */
  readonly basePackages: readonly string[];
  /** Packages that were split: installing the key also installs these. */
  readonly split: Readonly<Record<string, readonly string[]>>;
  /** Top-level folders that its packages have below `usr` only: `bin` has to be a link to `usr/bin`. */
  readonly intoUsr: readonly string[];
  /** Generators of its systemd, in addition to the common ones, for features that guests do not have. */
  readonly maskedGenerators: readonly string[];
}

/** A part of Debian's archive. */
export interface Archive {
  /** As in sources.list: `trixie-security`. */
  readonly suite: string;
  /** Appended to the mirror's address: security has its own folder, beside the main one. */
  readonly beside: '' | '-security';
}
