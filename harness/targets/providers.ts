import type { KnownCommand } from './command/provider.ts';
import { kinds, type TargetKind } from './kinds.ts';
import type { KnownMachine } from './ssh/machines.ts';
import type { KindOfTarget, TargetProvider } from './target.ts';

/** The provider of a kind of target; one for a whole run, because it remembers what it has found out. */
export type Providers = (kind: TargetKind) => Promise<TargetProvider>;

export interface ProviderOptions {
  /** Where images and what was found out about this host are kept. */
  readonly cache: string;
  /** Machines that exist, and commands that make them; from the inventory of this name. */
  readonly machines: readonly KnownMachine[];
  readonly commands: readonly KnownCommand[];
  readonly inventory: string;
  /** Another build of QEMU than the one that is installed: its binary, or the folder of its binaries. */
  readonly qemu?: string | undefined;
}

/** Who has read no inventory. */
const NONE: Omit<ProviderOptions, 'cache'> = { machines: [], commands: [], inventory: 'machines.yaml' };

/** Every kind of target, each made when it is first asked for. */
export function createProviders(options: Pick<ProviderOptions, 'cache'> & Partial<ProviderOptions>): Providers {
  const made = new Map<TargetKind, Promise<TargetProvider>>();
  return (kind) => {
    const provider = made.get(kind) ?? (kinds[kind] as KindOfTarget).provider({ ...NONE, ...options });
    made.set(kind, provider);
    return provider;
  };
}
