import type { KnownCommand } from './command/provider.ts';
import { kinds, type TargetKind } from './kinds.ts';
import type { KnownMachine } from './ssh/machines.ts';
import type { KindOfTarget, TargetProvider } from './target.ts';

/** The provider of a kind of target; one per run, because it caches what it finds out. */
export type Providers = (kind: TargetKind) => Promise<TargetProvider>;

export interface ProviderOptions {
  /** The cache folder, for images and facts about this host. */
  readonly cache: string;
  /** Machines that exist, and commands that make them; from the inventory of this name. */
  readonly machines: readonly KnownMachine[];
  readonly commands: readonly KnownCommand[];
  readonly inventory: string;
  /** A build of QEMU other than the installed one: its binary, or the folder of its binaries. */
  readonly qemu?: string | undefined;
}

/** For callers without an inventory. */
const NONE: Omit<ProviderOptions, 'cache'> = { machines: [], commands: [], inventory: 'machines.yaml' };

/** Every kind of target, each created on first use. */
export function createProviders(options: Pick<ProviderOptions, 'cache'> & Partial<ProviderOptions>): Providers {
  const made = new Map<TargetKind, Promise<TargetProvider>>();
  return (kind) => {
    const provider = made.get(kind) ?? (kinds[kind] as KindOfTarget).provider({ ...NONE, ...options });
    made.set(kind, provider);
    return provider;
  };
}
