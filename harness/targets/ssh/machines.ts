import type { ArchName } from '../../arch/index.ts';
import type { PowerSpec } from '../../bmc/spec.ts';

/** A machine that exists, as an inventory or a command line names it. */
export interface KnownMachine {
  readonly name: string;
  /** `user@host` or a host of the user's ssh configuration; it never begins with a "-". */
  readonly destination: string;
  readonly port?: number | undefined;
  /** Checked against what the machine says; absent: whatever it says. */
  readonly arch?: ArchName | undefined;
  readonly tags: readonly string[];
  /** A file with a private key; absent: what the user's ssh finds. */
  readonly key?: string | undefined;
  /** An ssh configuration in place of the user's. */
  readonly sshConfig?: string | undefined;
  /** How many cells may use it at once. */
  readonly cells: number;
  /** What cuts its power and gives it back. */
  readonly power?: PowerSpec | undefined;
  /** Where it was named, for errors: `machines.yaml:4:5`, `--target`. */
  readonly where: string;
}

/** ssh's options for the way to a machine: the user's own, and never less strict. */
export function wayTo({ port, key, sshConfig }: Partial<Pick<KnownMachine, 'port' | 'key' | 'sshConfig'>>): string[] {
  return [
    ...(sshConfig === undefined ? [] : ['-F', sshConfig]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(key === undefined ? [] : ['-i', key, '-o', 'IdentitiesOnly=yes']),
  ];
}
