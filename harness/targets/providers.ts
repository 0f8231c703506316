import { commandProvider, type KnownCommand, type ReadAddress } from './command/provider.ts';
import { containerProvider } from './container/provider.ts';
import { localProvider } from './local/provider.ts';
import type { KnownMachine } from './ssh/machines.ts';
import { sshProvider } from './ssh/provider.ts';
import type { TargetKind, TargetProvider } from './target.ts';
import { vmProvider } from './vm/provider.ts';

/** The provider of a kind of target; one for a whole run, because it remembers what it has found out. */
export type Providers = (kind: TargetKind) => TargetProvider;

export interface ProviderOptions {
  /** Where images and what was found out about this host are kept. */
  readonly cache: string;
  /** Machines that exist, and commands that make them; from the inventory of this name. */
  readonly machines: readonly KnownMachine[];
  readonly commands: readonly KnownCommand[];
  readonly inventory: string;
  readonly readAddress: ReadAddress;
}

/** Every kind of target, each made when it is first asked for. */
export function createProviders(options: ProviderOptions): Providers {
  const { cache, machines, commands, inventory, readAddress } = options;
  const make: Record<TargetKind, () => TargetProvider> = {
    vm: () => vmProvider(cache),
    container: () => containerProvider(),
    ssh: () => sshProvider(machines, inventory),
    local: () => localProvider(),
    command: () => commandProvider(commands, inventory, readAddress),
  };
  const made = new Map<TargetKind, TargetProvider>();
  return (kind) => {
    const provider = made.get(kind) ?? make[kind]();
    made.set(kind, provider);
    return provider;
  };
}
