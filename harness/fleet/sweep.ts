import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../base/errors.ts';
import type { Engine } from '../engines/engine.ts';

/** What was removed from an engine's folder, or would be. */
export interface Swept {
  /** Of runs and working trees, absolute. */
  readonly folders: readonly string[];
  /** Runs that are as old, and of which jobs are alive. */
  readonly alive: readonly string[];
  /** What could not be removed, such as other people's, with the reason. */
  readonly failed: readonly string[];
}

const DAY_MS = 86_400_000;

/** Jobs that are asked about at once: their names are words of a command. */
const ASKED = 500;

/**
 * Removes runs from an engine's folder that began, or were resumed, some days ago, and working trees that no run has used
 * since. What a run has come to is in its own folder in the project, and stays.
 * @throws InfraError when the engine does not say what is alive; nothing is removed then.
 */
export async function sweepShared(
  shared: string,
  engine: Pick<Engine, 'alive'>,
  {
    days,
    dryRun = false,
    now = Date.now(),
  }: { readonly days: number; readonly dryRun?: boolean; readonly now?: number },
): Promise<Swept> {
  const before = now - days * DAY_MS;
  const runs = await olderThan(before, join(shared, 'runs'));
  const tokens = await Promise.all(
    runs.map(async (name) => (await namesIn(join(shared, 'runs', name, 'jobs'))).map((job) => `${name}-${job}`)),
  );
  const all = tokens.flat();
  const living = new Set<string>();
  for (let from = 0; from < all.length; from += ASKED)
    for (const [token, rows] of await engine.alive(all.slice(from, from + ASKED))) if (rows.size > 0) living.add(token);
  const alive = runs.filter((_, index) => tokens[index]!.some((token) => living.has(token)));
  // A run that goes on may use the oldest tree.
  const trees = alive.length > 0 ? [] : await olderThan(before, join(shared, 'trees'));
  const gone = [
    ...runs.filter((name) => !alive.includes(name)).map((name) => join(shared, 'runs', name)),
    ...trees.map((name) => join(shared, 'trees', name)),
  ];
  const folders: string[] = [];
  const failed: string[] = [];
  for (const folder of gone)
    try {
      if (!dryRun) await rm(folder, { recursive: true, force: true });
      folders.push(folder);
    } catch (error) {
      failed.push(`cannot remove ${folder}: ${messageOf(error)}`);
    }
  return { folders, alive, failed };
}

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).sort();
}

/** What has not been written to, or taken for a run, since then: for either its folder is touched. */
async function olderThan(before: number, folder: string): Promise<string[]> {
  const old: string[] = [];
  for (const name of await namesIn(folder)) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    const jobs = await stat(join(folder, name, 'jobs')).catch(() => undefined);
    if (found && Math.max(found.mtimeMs, jobs?.mtimeMs ?? 0) < before) old.push(name);
  }
  return old;
}
