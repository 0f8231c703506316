import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigError, messageOf } from '../base/errors.ts';
import { exists, makeFolder, replaceFile } from '../base/files.ts';
import { IGNORED, SCRIPT, surroundings } from './surroundings.ts';
import { type Template, templates } from './templates.ts';

/** The result for a file of a new project. */
export interface InitFile {
  /** Relative to the folder. */
  readonly path: string;
  /** `kept`: it existed and lacked nothing; `added to`: it got a line or a script of ours. */
  readonly state: 'wrote' | 'added to' | 'kept';
}

/**
 * Writes a first matrix and a suite that passes into a folder, and the files around them: a package.json with a script,
 * a tsconfig.json, a .gitignore and a GitHub workflow. Nothing is overwritten: an existing package.json and .gitignore
 * get missing entries, everything else stays as it is.
 * @param starter the matrix and the suite. Default: a suite that passes.
 * @throws ConfigError if the matrix or the suite exists, or package.json cannot be read; then nothing has been written.
 */
export async function initProject(folder: string, starter: readonly Template[] = templates): Promise<InitFile[]> {
  try {
    makeFolder(folder);
  } catch (cause) {
    throw new ConfigError(`cannot write a first project in ${folder}: ${messageOf(cause)}`, { cause });
  }
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
    makeFolder(dirname(at(path)));
    // `wx`: never overwrites a file, even one created meanwhile.
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

/** A file's text before and after; `before` is absent if there was no file. */
interface Addition {
  readonly before?: string;
  readonly after: string;
}

async function addText(file: string, path: string, { before, after }: Addition): Promise<InitFile> {
  if (before === after) return { path, state: 'kept' };
  await replaceFile(file, after);
  return { path, state: before === undefined ? 'wrote' : 'added to' };
}

/** package.json with a script that runs the cells, in its original formatting. */
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
      hint: 'nothing was written; fix the file first',
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
