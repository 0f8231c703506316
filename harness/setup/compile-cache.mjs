import module from 'node:module';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * Makes Node keep compiled code, with types stripped, in the harness's cache: every command, and each suite's own
 * process, then starts in half the time. Call it before anything large is imported. A folder that the user has set is
 * kept; Node's default would be one that other users can write to.
 *
 * @param {NodeJS.ProcessEnv} env of this process; children inherit it
 */
export function keepCompiled(env = process.env) {
  // The same as `cacheFolder` in harness/base/folders.ts, which cannot be imported before this.
  const xdg = env['XDG_CACHE_HOME'];
  const base = xdg && isAbsolute(xdg) ? xdg : join(homedir(), '.cache');
  const cache = env['HARNESS_CACHE'] || join(base, 'multiarch-harness');
  env['NODE_COMPILE_CACHE'] ??= join(cache, 'node');
  module.enableCompileCache?.(env['NODE_COMPILE_CACHE']);
}
