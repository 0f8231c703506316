import { delimiter, join } from 'node:path';
import { exists } from './files.ts';

/** Those of some programs that are in no folder of `PATH`. */
export async function programsMissing(programs: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  for (const program of programs) if (!(await isOnPath(program))) missing.push(program);
  return missing;
}

async function isOnPath(program: string): Promise<boolean> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter))
    if (folder !== '' && (await exists(join(folder, program)))) return true;
  return false;
}
