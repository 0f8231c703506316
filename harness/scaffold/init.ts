import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigError, messageOf } from '../base/errors.ts';
import { exists, replaceFile } from '../base/files.ts';
import { IGNORED, SCRIPT, surroundings } from './surroundings.ts';
import { type Template, templates } from './templates.ts';

/** What became of a file that a first project has. */
export interface InitFile {
  /** Relative to the folder. */
  readonly path: string;
  /** `kept`: it was there, and has all that it needs; `added to`: a line or a script of ours was added. */
  readonly state: 'wrote' | 'added to' | 'kept';
}

/**
 * Writes a first matrix and a suite that passes into a folder, and what a project has around them: a package.json with a
 * script, a tsconfig.json, a .gitignore and a GitHub workflow. Nothing is overwritten: a package.json and a .gitignore
 * that are there get what they lack, everything else stays as it is.
 * @param starter the matrix and the suite. Default: a suite that passes.
 * @throws ConfigError when the matrix or the suite exists, or package.json cannot be read; nothing has been written then.
 */
export async function initProject(folder: string, starter: readonly Template[] = templates): Promise<InitFile[]> {
  const at = (path: string) => join(folder, path);
  const taken: string[] = [];
  for (const { path } of starter) if (await exists(at(path))) taken.push(path);
  if (taken.length > 0) {
    throw new ConfigError(
      `cannot write a first project: ${taken.join(', ')} ${taken.length === 1 ? 'exists' : 'exist'} already`,
      { hint: 'nothing was written; run it in another folder, or move these files away' },
    );
  }
  const packageJson = await withScript(at('package.json'));
  const written: InitFile[] = [];
  for (const { path, text } of [...starter, ...surroundings]) {
    await mkdir(dirname(at(path)), { recursive: true });
    // `wx`: whatever was there, or came into being since then, is not overwritten.
    const state = await writeFile(at(path), text, { flag: 'wx' }).then(
      () => 'wrote' as const,
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST' || starter.some((one) => one.path === path)) throw error;
        return 'kept' as const;
      },
    );
    written.push({ path, state });
  }
  written.push(await addText(at('package.json'), 'package.json', packageJson));
  written.push(await addText(at('.gitignore'), '.gitignore', await withIgnored(at('.gitignore'))));
  return written;
}

/** A file's text before and after; `before` is absent where there is no file. */
interface Addition {
  readonly before?: string;
  readonly after: string;
}

async function addText(file: string, path: string, { before, after }: Addition): Promise<InitFile> {
  if (before === after) return { path, state: 'kept' };
  await replaceFile(file, after);
  return { path, state: before === undefined ? 'wrote' : 'added to' };
}

/** package.json with a script that runs the cells, written as it was written. */
async function withScript(file: string): Promise<Addition> {
  const before = await textOf(file);
  if (before === undefined) {
    const made = { private: true, type: 'module', scripts: SCRIPT };
    return { after: `${JSON.stringify(made, null, 2)}\n` };
  }
  let data: unknown;
  try {
    data = JSON.parse(before.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw new ConfigError(`cannot add a script to package.json: ${messageOf(cause)}`, {
      cause,
      hint: 'nothing was written; mend the file first',
    });
  }
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject(data) || !(data['scripts'] === undefined || isObject(data['scripts'])))
    throw new ConfigError('cannot add a script to package.json: it holds no object with scripts');
  const scripts = data['scripts'] ?? {};
  if (Object.keys(SCRIPT).every((name) => name in scripts)) return { before, after: before };
  const indent = /^([ \t]+)"/m.exec(before)?.[1] ?? 2;
  const text = JSON.stringify({ ...data, scripts: { ...SCRIPT, ...scripts } }, null, indent);
  return { before, after: `${text}${before.endsWith('\n') ? '\n' : ''}` };
}

async function withIgnored(file: string): Promise<Addition> {
  const before = await textOf(file);
  if (before === undefined) return { after: `${IGNORED.join('\n')}\n` };
  const lines = before.split(/\r?\n/).map((line) => line.trim().replace(/^\/|\/$/g, ''));
  const lacking = IGNORED.filter((line) => !lines.includes(line.replace(/\/$/, '')));
  if (lacking.length === 0) return { before, after: before };
  return { before, after: `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}${lacking.join('\n')}\n` };
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
