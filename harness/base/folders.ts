import { accessSync, constants } from 'node:fs';
import { chmod, lstat, mkdir, mkdtemp } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { InfraError, messageOf } from './errors.ts';
import { makeFolder } from './files.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Where images and package lists are kept: `$HARNESS_CACHE`, else the XDG cache folder. */
export function cacheFolder(env: Env = process.env): string {
  return env['HARNESS_CACHE'] || join(xdgFolder(env, 'XDG_CACHE_HOME', '.cache'), 'multiarch-harness');
}

/**
 * Makes the cache if it does not exist.
 * @throws InfraError that says how another folder is chosen.
 */
export function openCache(folder: string): void {
  try {
    makeFolder(folder);
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new InfraError(`cannot use the cache ${folder}: ${messageOf(cause)}`, {
      cause,
      hint: 'Point HARNESS_CACHE at a folder that can be written to.',
    });
  }
}

/** The folder of leases of running runs, for all projects of this user: `$HARNESS_STATE`, else XDG's. */
export function stateFolder(env: Env = process.env): string {
  return env['HARNESS_STATE'] || join(xdgFolder(env, 'XDG_STATE_HOME', '.local/state'), 'multiarch-harness');
}

/** The XDG base directory specification: "If an implementation encounters a relative path […] it should […] ignore it." */
function xdgFolder(env: Env, name: string, byDefault: string): string {
  const given = env[name];
  return given && isAbsolute(given) ? given : join(homedir(), byDefault);
}

/**
 * A new private folder for sockets, and for files whose paths go into options of ssh and QEMU: a socket's path has at
 * most 107 bytes, and ssh interprets `%` and blanks in an option. So neither the project's path nor `$TMPDIR` is used.
 * @param places parent folders, the preferred one first.
 * @throws InfraError when none can be used, with the reason for each.
 */
export async function makeRuntimeFolder(places: readonly string[] = runtimePlaces()): Promise<string> {
  const reasons: string[] = [];
  for (const place of places) {
    try {
      return await mkdtemp(join(await ownFolder(place), 'r'));
    } catch (error) {
      reasons.push(`${place}: ${messageOf(error)}`);
    }
  }
  throw new InfraError(`cannot make a folder for sockets: ${reasons.join('; ')}`);
}

/** `/run/user` ends with the login session, which a run may outlive, so it is tried second. */
function runtimePlaces(): string[] {
  const name = `harness-${userInfo().uid}`;
  return [join('/tmp', name), join('/run/user', String(userInfo().uid), 'harness'), join('/var/tmp', name)];
}

/** An existing folder that is ours and closed to everybody else: in `/tmp` anybody may have made one of that name. */
async function ownFolder(place: string): Promise<string> {
  await mkdir(place, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const found = await lstat(place);
  if (!found.isDirectory()) throw new Error('it exists and is not a folder');
  if (found.uid !== userInfo().uid) throw new Error(`it belongs to the user ${found.uid}`);
  if ((found.mode & 0o077) !== 0) await chmod(place, 0o700);
  return place;
}
