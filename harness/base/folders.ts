import { mkdir, mkdtemp } from 'node:fs/promises';
import { homedir, tmpdir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';

type Env = Readonly<Record<string, string | undefined>>;

/** Where images and package lists are kept: `$HARNESS_CACHE`, else the XDG cache folder. */
export function cacheFolder(env: Env = process.env): string {
  return env['HARNESS_CACHE'] || join(xdgFolder(env, 'XDG_CACHE_HOME', '.cache'), 'multiarch-harness');
}

/** Where the leases of running runs are kept, of every project of this user: `$HARNESS_STATE`, else XDG's. */
export function stateFolder(env: Env = process.env): string {
  return env['HARNESS_STATE'] || join(xdgFolder(env, 'XDG_STATE_HOME', '.local/state'), 'multiarch-harness');
}

/** The XDG base directory specification: "If an implementation encounters a relative path […] it should […] ignore it." */
function xdgFolder(env: Env, name: string, byDefault: string): string {
  const given = env[name];
  return given && isAbsolute(given) ? given : join(homedir(), byDefault);
}

/**
 * A new private folder with a short path: a unix socket's path may have 107 bytes at most, and a project may be
 * anywhere.
 */
export async function makeRuntimeFolder(): Promise<string> {
  const base = join(tmpdir().length > 40 ? '/tmp' : tmpdir(), `harness-${userInfo().uid}`);
  await mkdir(base, { recursive: true, mode: 0o700 });
  return mkdtemp(join(base, 'r'));
}
