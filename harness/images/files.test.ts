import { mkdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../base/process.ts';
import { shellQuote } from '../base/text.ts';
import { tempFiles } from '../testing/temp-files.ts';
import { type Accounts, parseAccounts } from './accounts.ts';
import { broughtFiles, divideFiles } from './brought.ts';
import { digests, fileSteps, type ImageFile, writeContents } from './files.ts';

/** Only root may give a file to somebody else: whoever runs the tests is everybody here. */
const me: Accounts = {
  users: { root: process.getuid!(), keystone: process.getuid!() },
  groups: { root: process.getgid!(), keystone: process.getgid!() },
};

async function place(root: string, files: readonly ImageFile[]): Promise<void> {
  const contents = join(root, 'contents');
  await writeContents(files, contents);
  const script = fileSteps(files, { root: shellQuote(root), contents, accounts: me }).join('\n');
  await run(['sh', '-ec', script], { purpose: 'place files' });
}

test('files, folders and links are put where they belong, and what is to be absent is removed', async () => {
  await using files = await tempFiles({ "etc/it's/old": 'old', 'etc/kept': 'kept', 'etc/gone/a': 'a' });
  const root = files.folder;
  await symlink('kept', join(root, 'etc/conf'));
  await mkdir(join(root, 'var/there'), { recursive: true });
  await writeFile(join(root, 'var/there/mail'), 'mail');
  const content = Buffer.from('new');
  await place(root, [
    { path: '/etc/conf', mode: '0640', owner: 'keystone', group: 'keystone', content },
    { path: "/etc/it's/old", mode: '4755', content },
    { path: '/etc/gone', absent: true },
    { path: '/srv/deep/link', link: '../conf' },
    { path: '/var/there', folder: true, mode: '0700', owner: 'keystone' },
    { path: '/var/new', folder: true, mode: '2750' },
  ]);
  const mode = async (path: string) => ((await stat(join(root, path))).mode & 0o7777).toString(8);
  expect([await readFile(join(root, 'etc/conf'), 'utf8'), await mode('etc/conf')]).toEqual(['new', '640']);
  // The link was replaced, not followed.
  expect(await readFile(join(root, 'etc/kept'), 'utf8')).toBe('kept');
  expect(await mode("etc/it's/old")).toBe('4755');
  await expect(stat(join(root, 'etc/gone'))).rejects.toThrow('ENOENT');
  expect(await readlink(join(root, 'srv/deep/link'))).toBe('../conf');
  expect([await mode('var/there'), await readFile(join(root, 'var/there/mail'), 'utf8')]).toEqual(['700', 'mail']);
  expect(await mode('var/new')).toBe('2750');
});

test('owners are found in the image, and one that is nobody there is named', () => {
  const accounts = {
    users: parseAccounts('root:x:0:0::/root:/bin/bash\nkeystone:x:107:113::/var/lib/keystone:/bin/false\n'),
    groups: parseAccounts('root:x:0:\nadm:x:4:syslog\n'),
  };
  const of = (owner?: string, group?: string) =>
    fileSteps([{ path: '/a', folder: true, mode: '0755', owner, group }], { root: '', contents: '', accounts })[1];
  expect(of('keystone', 'adm')).toBe('chown 107:4 /a');
  expect(of('33')).toBe('chown 33:0 /a');
  expect(of()).toBe('chmod 0755 /a');
  expect(() => of('keystoen')).toThrow('cannot give /a to user "keystoen": the image has no such user');
  expect(() => of('root', 'keystone')).toThrow('cannot give /a to group "keystone": the image has no such group');
});

test('what stands for a file in a key differs with whom it belongs to, and not with how that is left out', () => {
  const file = { path: '/a', mode: '0644', content: Buffer.from('a') };
  const key = (one: ImageFile) => JSON.stringify(digests([one]));
  expect(key({ ...file, owner: undefined })).toBe(key(file));
  const others: ImageFile[] = [
    file,
    { ...file, owner: 'adm' },
    { ...file, group: 'adm' },
    { path: '/a', absent: true },
  ];
  expect(new Set(others.map(key)).size).toBe(others.length);
});

test('the largest files stay on the disk when all are too much for a guest that boots', () => {
  const file = (path: string, mib: number): ImageFile => ({ path, mode: '0644', content: Buffer.alloc(mib * 2 ** 20) });
  const [large, small, other] = [file('/large', 7), file('/small', 1), file('/other', 1)];
  const link: ImageFile = { path: '/link', link: 'large' };
  expect(divideFiles([large, small, other, link])).toEqual({ travelling: [small, other, link], onDisk: [large] });
  expect(divideFiles([large, small, link])).toEqual({ travelling: [large, small, link], onDisk: [] });
});

test('an archive for the guest has what is in the files, and a script that needs busybox only', () => {
  const entries = broughtFiles(
    [
      { path: '/etc/a', link: 'b' },
      { path: '/etc/b', mode: '0600', owner: 'keystone', content: Buffer.from('b') },
    ],
    { users: { keystone: 107 }, groups: {} },
  );
  expect(entries.map(({ path }) => path)).toEqual(['stack', 'stack/1', 'stack/place']);
  const script = String((entries.at(-1) as { content: string }).content);
  const commands = script.split('\n').flatMap((line) => /^(\w+) /.exec(line)?.[1] ?? []);
  for (const command of commands.filter((name) => name !== 'set')) expect(script).toContain(`${command}() {`);
  expect(script).toContain('chown 107:0 /root/etc/b');
  expect(broughtFiles([], { users: {}, groups: {} })).toEqual([]);
});
