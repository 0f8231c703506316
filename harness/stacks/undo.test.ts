import { mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { suiteSchema } from '../config/schema/suite.ts';
import type { ImageFile } from '../images/files.ts';
import type { Target } from '../targets/target.ts';
import { tempFiles } from '../testing/temp-files.ts';
import { installStack } from './packages/install.ts';
import { undoChanges } from './undo.ts';

/** A machine that is a folder of this one: commands run here, and nothing of it but the folder is touched. */
function machine(folder: string, systemctl: string): Target {
  const env = { PATH: `${join(folder, 'bin')}:${process.env['PATH']}`, SAID: systemctl };
  return {
    undoFolder: join(folder, 'undo'),
    facts: { machine: 'here' },
    async exec(argv: readonly string[], { stdin }: { readonly stdin?: string } = {}) {
      const [file, ...args] = argv;
      const { exitCode, stdout, stderr } = await execa(file!, args, { reject: false, env, input: stdin ?? '' });
      return { exitCode: exitCode ?? -1, stdout, stderr, durationMs: 0 };
    },
    async write(path: string, content: Uint8Array, { mode = 0o644 }: { readonly mode?: number } = {}) {
      await execa('rm', ['-f', path]);
      await writeFile(path, content, { mode });
    },
  } as unknown as Target;
}

test('a machine gets files, folders and links, and what it had is back afterwards, owners and units included', async () => {
  await using files = await tempFiles({
    'etc/a.conf': 'old',
    'etc/gone/inside': 'inside',
    'spool/mail': 'mail',
    // Every unit is active and enabled.
    'bin/systemctl': '#!/bin/sh\necho "$@" >>"$SAID"\n',
  });
  const { folder } = files;
  const at = (path: string) => join(folder, path);
  await execa('chmod', ['755', at('bin/systemctl')]);
  await execa('chmod', ['711', at('spool')]);
  await symlink('a.conf', at('etc/link'));
  await mkdir(at('etc/mine'));
  const said = at('said');
  await writeFile(said, '');
  const target = machine(folder, said);
  const owner = String(process.getuid!());
  const group = String(process.getgid!());
  const wanted: ImageFile[] = [
    { path: at('etc/a.conf'), mode: '0600', content: Buffer.from('new'), owner, group },
    { path: at('etc/gone'), absent: true },
    { path: at('etc/link'), link: 'elsewhere' },
    { path: at('spool'), folder: true, mode: '0750', owner, group },
    { path: at('spool/new'), folder: true, mode: '0755' },
  ];
  const suite = { ...suiteSchema.parse({ stack: { services: { disabled: ['cron'] } } }), name: 's', folder };
  const options = {
    scale: 1,
    signal: new AbortController().signal,
    progress: () => {},
    output: () => {},
    phase: () => {},
    warn: () => {},
  };
  await installStack(target, suite, wanted, options);
  const mode = async (path: string) => ((await stat(at(path))).mode & 0o7777).toString(8);
  expect([await readFile(at('etc/a.conf'), 'utf8'), await mode('etc/a.conf')]).toEqual(['new', '600']);
  expect(await readdir(at('etc'))).toEqual(['a.conf', 'link', 'mine']);
  expect(await readlink(at('etc/link'))).toBe('elsewhere');
  expect([await mode('spool'), await readdir(at('spool'))]).toEqual(['750', ['mail', 'new']]);
  expect(await readFile(said, 'utf8')).toContain('disable --quiet --now cron\n');

  await writeFile(said, '');
  expect(await undoChanges(target, { scale: 1 })).toBeGreaterThan(5);
  expect(await readFile(at('etc/a.conf'), 'utf8')).toBe('old');
  expect(await readFile(at('etc/gone/inside'), 'utf8')).toBe('inside');
  expect(await readlink(at('etc/link'))).toBe('a.conf');
  expect([await mode('spool'), await readdir(at('spool'))]).toEqual(['711', ['mail']]);
  expect((await readFile(said, 'utf8')).split('\n')).toEqual(
    expect.arrayContaining(['--quiet enable cron', 'start cron']),
  );
});
