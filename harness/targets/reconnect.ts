import { z } from 'zod';
import { cacheFolder } from '../base/folders.ts';
import { parseHandle } from './handle.ts';
import { kinds, type TargetKind } from './kinds.ts';
import { createProviders, type Providers } from './providers.ts';
import type { Target } from './target.ts';

const anyHandle = z.looseObject({ kind: z.enum(Object.keys(kinds) as [TargetKind]) });

/**
 * The target of a handle, for another process than the one that acquired it, or undefined when it is gone. Disposing the
 * result leaves the target alone.
 * @param handle as it was read, from a file or from another process.
 * @throws InfraError when it is not what a provider wrote.
 */
export async function reconnect(
  handle: unknown,
  providers: Providers = createProviders({ cache: cacheFolder() }),
): Promise<Target | undefined> {
  const { kind } = parseHandle(anyHandle, handle);
  const provider = await providers(kind);
  return provider.reconnect(handle);
}
