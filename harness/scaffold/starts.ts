import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from '../base/files.ts';

/** What a file offers to start from, as arguments of `harness init`; undefined where it says nothing of that. */
interface Start {
  /** Names that one file goes by: the first that is there counts. */
  readonly files: readonly string[];
  readonly starts: (text: string, file: string) => string | undefined;
}

const command = (line: string) => `--command "${line}"`;

const STARTS: readonly Start[] = [
  {
    files: ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml'],
    starts: (_, file) => `--compose ${file}`,
  },
  {
    files: ['GNUmakefile', 'makefile', 'Makefile'],
    starts: (text) => {
      const target = ['check', 'test'].find((name) => new RegExp(`^${name}\\s*:(?!=)`, 'm').test(text));
      return target && command(`make ${target}`);
    },
  },
  { files: ['pyproject.toml', 'pytest.ini', 'setup.cfg', 'setup.py'], starts: () => command('pytest') },
  { files: ['Cargo.toml'], starts: () => command('cargo test') },
  { files: ['go.mod'], starts: () => command('go test ./...') },
  { files: ['package.json'], starts: npmTest },
];

/** What `npm init` writes is no test. */
function npmTest(text: string): string | undefined {
  try {
    const { scripts } = JSON.parse(text) as { scripts?: { test?: unknown } };
    const test = scripts?.test;
    return typeof test === 'string' && !test.includes('no test specified') ? command('npm test') : undefined;
  } catch {
    return undefined;
  }
}

/** What a folder's own files offer to start from, as arguments of `harness init`. */
export async function startsFrom(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const { files, starts } of STARTS) {
    for (const file of files) {
      if (!(await exists(join(folder, file)))) continue;
      const text = await readFile(join(folder, file), 'utf8').catch(() => '');
      const start = starts(text, file);
      if (start !== undefined) found.push(start);
      break;
    }
  }
  return found;
}
