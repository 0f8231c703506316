import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../../run/schedule/repository.ts';

/** Reads the files of the repository that a project is in, for the lines around an error; undefined for one that is not there. */
export async function sourceReader(project: string): Promise<(path: string) => string | undefined> {
  const root = await repositoryRoot(project);
  return (path) => {
    try {
      return readFileSync(join(root, path), 'utf8');
    } catch {
      return undefined;
    }
  };
}
