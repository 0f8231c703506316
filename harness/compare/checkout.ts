import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../base/errors.ts';
import { makeFolder } from '../base/files.ts';
import { git } from '../base/git.ts';
import { run } from '../base/process.ts';

/**
 * Puts the files of a commit into a folder beside the working tree, without a trace in the repository: a separate index
 * leaves nothing behind for git, even if this process dies. Filters (line endings, LFS) are applied.
 * @param project a folder in the repository, not only its root.
 * @returns the project's folder of that commit.
 * @throws ConfigError if there is no repository, or the commit is not in it.
 */
export async function checkoutCommit(project: string, sha: string, folder: string): Promise<string> {
  const top = await git(project, 'rev-parse', '--show-toplevel');
  if (top.failed) throw new ConfigError(`cannot get the files of ${sha}: ${project} is in no git repository`);
  const prefix = (await git(project, 'rev-parse', '--show-prefix')).stdout;
  const known = await git(project, 'cat-file', '-e', `${sha}^{commit}`);
  if (known.failed)
    throw new ConfigError(`cannot get the files of ${sha}: this repository does not have that commit`, {
      hint: 'A shallow clone has only the newest: git fetch --unshallow, or fetch-depth: 0 for actions/checkout',
    });
  makeFolder(folder);
  const index = `${folder}.index`;
  const options = { purpose: `get the files of ${sha}`, env: { GIT_INDEX_FILE: index }, cwd: top.stdout };
  await run(['git', 'read-tree', sha], options);
  await run(['git', 'checkout-index', '--all', `--prefix=${folder}/`], options);
  await rm(index, { force: true });
  return join(folder, prefix);
}
