import { chmod, chown, copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { messageOf } from '../harness/base/errors.ts';
import type { Results } from '../reports/results-schema.ts';
import { troubles } from './support/project.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const ID = 61234;

/** This machine's tables of users plus the test's user, mounted over them in a mount namespace. */
const TABLES = {
  passwd: (home: string) => `ordinary:x:${ID}:${ID}::${home}:/bin/sh\n`,
  group: () => `ordinary:x:${ID}:\n`,
  subuid: () => 'ordinary:1000000:65536\n',
  subgid: () => 'ordinary:1000000:65536\n',
};

/** Mounts everything where the user may read: a checkout and a Node in root's home are unreadable. */
const AS_USER = `
cd "$1"
for table in passwd group subuid subgid; do mount --bind "$table" "/etc/$table"; done
mount --bind "$2" checkout
mount --bind "$3" node
cd home/project
exec setpriv --reuid=${ID} --regid=${ID} --clear-groups env -i HOME="$1/home" TMPDIR="$1/home" PATH="$PATH" NO_COLOR=1 \\
  "$1/node" "$1/checkout/harness/cli/main.ts" run hello
`;

/** The mode of homes since Debian 13; an image's files belong to several users. */
test.runIf(process.getuid?.() === 0)(
  'an ordinary user, whose home is closed to others, builds an image and runs a suite',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'harness-user-'));
    const home = join(folder, 'home');
    const project = join(home, 'project');
    try {
      for (const [name, line] of Object.entries(TABLES)) {
        const table = await readFile(`/etc/${name}`, 'utf8').catch(() => '');
        await writeFile(join(folder, name), `${table}${line(home)}`);
      }
      await mkdir(join(folder, 'checkout'));
      await copyFile('/dev/null', join(folder, 'node'));
      const files = {
        'matrices/hello.yaml': 'arch: [amd64]\nsuite: [hello]\n',
        'suites/hello/suite.yaml': 'machine: {memory: 256}\nstack: {packages: [netcat-openbsd]}\n',
        'suites/hello/a.scenario.ts': `import { expect, test } from 'multiarch-harness';
test('files have the owners that their packages give them', async ({ target }) => {
  // Installed on top of the base system.
  expect(await target.sh('command -v nc.openbsd')).toMatch(/nc.openbsd$/);
  const files = await target.sh("stat -c '%U:%G %a' /bin/su /etc/shadow /var/mail");
  expect(files).toBe('root:root 4755\\nroot:shadow 640\\nroot:mail 2775');
});
`,
      };
      for (const [name, text] of Object.entries(files)) {
        await mkdir(dirname(join(project, name)), { recursive: true });
        await writeFile(join(project, name), text);
      }
      for (const name of [home, ...(await readdir(home, { recursive: true })).map((one) => join(home, one))])
        await chown(name, ID, ID);
      await chmod(home, 0o700);
      await chmod(folder, 0o755);
      const { exitCode, stderr } = await execa(
        'unshare',
        ['--mount', 'sh', '-ec', AS_USER, 'sh', folder, root, process.execPath],
        { reject: false, stdin: 'ignore' },
      );
      const results = await readFile(join(project, '.harness/runs/latest/results.json'), 'utf8').then(
        (text) => troubles(JSON.parse(text) as Results),
        (error: unknown) => [messageOf(error)],
      );
      expect(results, stderr).toEqual([]);
      expect(exitCode, stderr).toBe(0);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
