import type { EntryKind } from '../cache.ts';

/** An entry of the cache that is complete. */
export interface RemoteEntry {
  readonly kind: EntryKind;
  readonly key: string;
  /** Its files; read only. */
  readonly folder: string;
}

/**
 * Cache entries made by other machines. Keys identify ingredients, not bytes: writers decide what all readers boot.
 */
export interface RemoteCache {
  /** For people. */
  readonly name: string;
  /**
   * Fills an empty folder. What arrives is checked against its digest.
   * @returns false: there is no such entry.
   * @throws when it cannot be reached, or what arrives is not what was put there; the folder may hold some of it.
   */
  get(kind: EntryKind, key: string, folder: string, signal?: AbortSignal): Promise<boolean>;
  /** The first to put a key wins; a second put does nothing. */
  put(entry: RemoteEntry, signal?: AbortSignal): Promise<void>;
}

/** A remote cache, and whether this process may write to it. */
export interface UsedRemote {
  readonly remote: RemoteCache;
  readonly writes: boolean;
}
