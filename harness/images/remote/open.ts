import { fileURLToPath } from 'node:url';
import { ConfigError } from '../../base/errors.ts';
import { quote } from '../../base/quote.ts';
import { commandCache } from './command.ts';
import { fileCache } from './file.ts';
import { ociCache } from './oci.ts';
import type { RemoteCache, UsedRemote } from './remote.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Hosts whose registries are spoken to without TLS. */
const LOCAL = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?\//;

/**
 * A remote cache by its address: `file:///folder`, `oci://registry/name` (`oci+http://` without TLS),
 * `command:PROGRAM`.
 * @throws ConfigError for any other.
 */
export function openRemote(address: string, env: Env = process.env): RemoteCache {
  const [, scheme = '', rest = ''] = /^([a-z+]+):(.*)$/s.exec(address) ?? [];
  if (scheme === 'file' && rest.startsWith('///')) return fileCache(fileURLToPath(address));
  if (scheme === 'file' && rest.startsWith('/') && !rest.startsWith('//')) return fileCache(rest);
  if (scheme === 'command' && rest.trim() !== '') return commandCache(rest.trim());
  const place = rest.replace(/^\/\//, '');
  if ((scheme === 'oci' || scheme === 'oci+http') && /^[^/]+\/[^/]/.test(place)) {
    const plain = scheme === 'oci+http' || LOCAL.test(place);
    return ociCache(place, { credentials: env['HARNESS_REGISTRY_AUTH'], scheme: plain ? 'http' : 'https' });
  }
  throw new ConfigError(
    `cannot use the cache ${quote(address)}: expected file:///folder, oci://registry/name or command:PROGRAM`,
  );
}

/**
 * The remote cache in `$HARNESS_REMOTE_CACHE`, which is written to only if `$HARNESS_REMOTE_CACHE_PUT` is 1: writers
 * decide what all readers boot.
 */
export function remoteOf(env: Env = process.env): UsedRemote | undefined {
  const address = env['HARNESS_REMOTE_CACHE'];
  if (!address) return undefined;
  return { remote: openRemote(address, env), writes: env['HARNESS_REMOTE_CACHE_PUT'] === '1' };
}
