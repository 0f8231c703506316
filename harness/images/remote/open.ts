import { fileURLToPath } from 'node:url';
import { ConfigError } from '../../base/errors.ts';
import { quote } from '../../base/quote.ts';
import { commandCache } from './command.ts';
import { fileCache } from './file.ts';
import { ociCache } from './oci.ts';
import type { RemoteCache, UsedRemote } from './remote.ts';
import { isLoopback } from './token.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** A registry, and the name of a repository as registries take it: in lower case. */
const PLACE = /^(?:[\w.-]+|\[[\da-fA-F:]+\])(?::\d+)?(?:\/[a-z\d]+(?:(?:\.|_|__|-+)[a-z\d]+)*)+$/;

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
  if ((scheme === 'oci' || scheme === 'oci+http') && PLACE.test(place) && URL.canParse(`http://${place}`)) {
    // Registries on this machine are spoken to without TLS.
    const plain = scheme === 'oci+http' || isLoopback(new URL(`http://${place}`));
    return ociCache(place, {
      credentials: env['HARNESS_REGISTRY_AUTH'] || undefined,
      scheme: plain ? 'http' : 'https',
    });
  }
  throw new ConfigError(
    `cannot use the cache ${quote(address)}: expected file:///folder, oci://registry/name or command:PROGRAM`,
    /^oci.*[A-Z]/.test(address) ? { hint: 'Names in a registry are in lower case.' } : {},
  );
}

/** Those of the environment, each opened once: a registry's token is good for several images. */
const opened = new Map<string, RemoteCache>();

/**
 * The remote cache in `$HARNESS_REMOTE_CACHE`, which is written to only if `$HARNESS_REMOTE_CACHE_PUT` is 1: writers
 * decide what all readers boot.
 */
export function remoteOf(env: Env = process.env): UsedRemote | undefined {
  const address = env['HARNESS_REMOTE_CACHE'];
  if (!address) return undefined;
  const which = JSON.stringify([address, env['HARNESS_REGISTRY_AUTH']]);
  const remote = opened.get(which) ?? openRemote(address, env);
  opened.set(which, remote);
  return { remote, writes: env['HARNESS_REMOTE_CACHE_PUT'] === '1' };
}
