import { execa, type Options } from 'execa';

/** Limit of git's output, in bytes; the paths of a large repository take many. */
const MAX_OUTPUT = 256 * 2 ** 20;

const OPTIONS = {
  reject: false,
  stdin: 'ignore',
  maxBuffer: MAX_OUTPUT,
  env: { LC_ALL: 'C' },
} as const satisfies Options;

/** Runs git in a folder, in English and without input. Never throws: see `failed`, `stdout` and `stderr`. */
export function git(folder: string, ...args: string[]) {
  return execa('git', ['-C', folder, ...args], OPTIONS);
}
