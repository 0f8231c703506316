import { execa, type Options } from 'execa';

/** Bytes of what git may print: the paths of a large repository, for one. */
const MAX_OUTPUT = 256 * 2 ** 20;

const OPTIONS = {
  reject: false,
  stdin: 'ignore',
  maxBuffer: MAX_OUTPUT,
  env: { LC_ALL: 'C' },
} as const satisfies Options;

/** Runs git in a folder, in English and without input. It throws nothing: `failed`, `stdout` and `stderr` say what came of it. */
export function git(folder: string, ...args: string[]) {
  return execa('git', ['-C', folder, ...args], OPTIONS);
}
