import module from 'node:module';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * Has Node keep what it compiled, of types stripped and all, in the cache of the harness: every command then starts in half
 * of the time, and so does each suite's own process. Call it before anything large is imported. A folder that somebody has
 * chosen stays; without one Node would take one that other users can write to.
 *
 * @param {NodeJS.ProcessEnv} env of this process: its children do the same
 */
export function keepCompiled(env = process.env) {
  // As `cacheFolder` in harness/base/folders.ts, which is of the kind that is to be kept.
  const xdg = env['XDG_CACHE_HOME'];
  const base = xdg && isAbsolute(xdg) ? xdg : join(homedir(), '.cache');
  const cache = env['HARNESS_CACHE'] || join(base, 'multiarch-harness');
  env['NODE_COMPILE_CACHE'] ??= join(cache, 'node');
  module.enableCompileCache?.(env['NODE_COMPILE_CACHE']);
}
