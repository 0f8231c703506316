import type { ArchName } from '../../arch/index.ts';
import type { PowerSpec } from '../../bmc/spec.ts';

/** An existing machine, as described by an inventory or a command line. */
export interface KnownMachine {
  readonly name: string;
  /** `user@host` or a host of the user's ssh configuration; it never begins with a "-". */
  readonly destination: string;
  readonly port?: number | undefined;
  /** Must match what the machine reports; absent: not checked. */
  readonly arch?: ArchName | undefined;
  readonly tags: readonly string[];
  /** A file with a private key; absent: the user's ssh chooses one. */
  readonly key?: string | undefined;
  /** An ssh configuration that replaces the user's. */
  readonly sshConfig?: string | undefined;
  /** How many cells may use it at once. */
  readonly cells: number;
  /** How to switch its power. */
  readonly power?: PowerSpec | undefined;
  /** Where it is defined, for errors: `machines.yaml:4:5`, `--target`. */
  readonly where: string;
}

/** ssh options for connecting to a machine: the user's own, and never less strict. */
export function connectionOptions({
  port,
  key,
  sshConfig,
}: Partial<Pick<KnownMachine, 'port' | 'key' | 'sshConfig'>>): string[] {
  return [
    ...(sshConfig === undefined ? [] : ['-F', sshConfig]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(key === undefined ? [] : ['-i', key, '-o', 'IdentitiesOnly=yes']),
  ];
}
