import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { tempFiles } from '../testing/temp-files.ts';
import { PETITBOOT_FILES } from './petitboot.ts';

const content = (path: string) => PETITBOOT_FILES.find((file) => file.path === path)!.content;

test.each([
  [
    'the default entry, with the initrd among its arguments',
    'default deploy\n\nlabel other\nkernel o\n\nlabel deploy\nkernel k1\nappend initrd=i1 a=b c\nipappend 2\n',
    ['k1', 'i1', ' a=b c', '2'],
  ],
  [
    'the first entry where none is the default',
    'LABEL one\n  LINUX k\n  INITRD i\n  APPEND a\nlabel two\n  kernel x\n',
    ['k', 'i', 'a', ''],
  ],
  ['an entry without a ramdisk, and a default that is none', 'default gone\nlabel one\nkernel k\n', ['k', '', '', '']],
  ['a text that has no entry', '<html>\n', ['', '', '', '']],
])('a configuration of pxelinux: %s', async (_, text, expected) => {
  await using files = await tempFiles({ program: content('/petitboot-entry'), configuration: text });
  const { stdout } = await execa('awk', ['-f', 'program', 'configuration'], {
    cwd: files.folder,
    stripFinalNewline: false,
  });
  expect(stdout.split('\n').slice(0, -1)).toEqual(expected);
});

test.each(['/init', '/petitboot-lease'])('%s is a script that a shell can read', async (path) => {
  await using files = await tempFiles({ script: content(path) });
  await execa('sh', ['-n', join(files.folder, 'script')]);
});
