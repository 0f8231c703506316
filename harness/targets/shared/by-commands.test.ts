import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tempFiles } from '../../testing/temp-files.ts';
import { filesBy } from './by-commands.ts';
import { execProcess } from './exec-process.ts';

/** A login shell that complains before it runs anything. */
const complains = filesBy((argv, options) =>
  execProcess(
    ['sh', '-c', 'echo "bash: warning: setlocale: LC_ALL: cannot change locale" >&2; exec "$@"', 'login', ...argv],
    options,
    'a command',
  ),
);

describe('a shell that complains on standard error', () => {
  test('does not keep files from being read and written', async () => {
    await using files = await tempFiles({});
    const file = join(files.folder, 'in/a folder/file');
    const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 7) % 256);
    await complains.write(file, bytes);
    expect(Buffer.compare(Buffer.from(await complains.read(file)), Buffer.from(bytes))).toBe(0);
    expect(await complains.read(file, { maxBytes: 3 })).toHaveLength(3);
    await writeFile(file, '');
    expect(await complains.read(file)).toHaveLength(0);
  });

  test.each([
    ['nothing is there', 'nowhere'],
    ['it is a folder', '.'],
  ])('does not hide why a file cannot be read: %s', async (_, name) => {
    await using files = await tempFiles({});
    const path = join(files.folder, name);
    await expect(complains.read(path)).rejects.toThrow(`cannot read ${path} on the target: `);
    await expect(complains.read(path)).rejects.toThrow(name === '.' ? 'Is a directory' : 'No such file or directory');
  });
});
