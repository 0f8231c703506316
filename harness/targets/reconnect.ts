import { z } from 'zod';
import { cacheFolder } from '../base/folders.ts';
import { parseHandle } from './handle.ts';
import { kinds, type TargetKind } from './kinds.ts';
import { createProviders, type Providers } from './providers.ts';
import type { Target } from './target.ts';

const anyHandle = z.looseObject({ kind: z.enum(Object.keys(kinds) as [TargetKind]) });

/**
 * The target of a handle, for a process other than the one that acquired it, or undefined if it is gone. Disposing the
 * result does not end the target.
 * @param handle as it was read, from a file or from another process.
 * @throws InfraError if no provider wrote it.
 */
export async function reconnect(
  handle: unknown,
  providers: Providers = createProviders({ cache: cacheFolder() }),
): Promise<Target | undefined> {
  const { kind } = parseHandle(anyHandle, handle);
  const provider = await providers(kind);
  return provider.reconnect(handle);
}
