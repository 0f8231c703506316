import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Workspace } from '../commands/workspace.ts';
import { filesBy } from '../targets/shared/by-commands.ts';
import { execProcess } from '../targets/shared/exec-process.ts';
import type { Target } from '../targets/target.ts';
import { tempFiles } from './temp-files.ts';

/** For tests: this host as a machine for commands, with a workspace in its own folder. */
export async function thisHost(files: Readonly<Record<string, string>> = {}) {
  const temporary = await tempFiles(files);
  const workspace: Workspace = {
    base: temporary.folder,
    user: process.getuid?.() === 0 ? 'root' : (process.env['USER'] ?? ''),
  };
  for (const folder of ['source', 'home']) await mkdir(join(workspace.base, folder), { recursive: true });
  const exec: Target['exec'] = (argv, options) => execProcess(argv, options, argv.join(' ').slice(0, 60));
  const target = { exec, ...filesBy(exec) } as Target;
  return { target, workspace, folder: temporary.folder, [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose]() };
}
