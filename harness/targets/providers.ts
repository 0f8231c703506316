import { ConfigError } from '../base/errors.ts';
import type { TargetKind, TargetProvider } from './target.ts';
import { vmProvider } from './vm/provider.ts';

/** The provider of a kind of target; one for a whole run, because it remembers what it has found out. */
export type Providers = (kind: TargetKind) => TargetProvider;

export interface ProviderOptions {
  /** Where images and what was found out about this host are kept. */
  readonly cache: string;
}

/** Every kind of target, each made when it is first asked for. */
export function createProviders({ cache }: ProviderOptions): Providers {
  const make: Partial<Record<TargetKind, () => TargetProvider>> = {
    vm: () => vmProvider(cache),
  };
  const made = new Map<TargetKind, TargetProvider>();
  return (kind) => {
    const provider = made.get(kind) ?? make[kind]?.();
    if (!provider) throw new ConfigError(`a target of kind ${kind} is not there yet`);
    made.set(kind, provider);
    return provider;
  };
}
