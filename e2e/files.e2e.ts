import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nativeArch } from '../harness/arch/index.ts';
import { makeProject } from './support/project.ts';

const arch = nativeArch()!.name;

/** `id` makes an image that no other run of the test has; cron is already in the cache. */
const suite = (id: string) => `machine: {vcpus: 1, memory: 256}
needs: [power]
stack:
  packages: [cron]
  services: {enabled: [mine], disabled: [cron]}
  build:
    - [sh, -ec, "test -e /etc/made-of; grep -q ${id} /etc/made-of; umask 077; id -un >/var/built; test -x /usr/sbin/cron"]
  files:
    - {path: /etc/made-of, content: "${id}", build: true}
    - {path: /etc/mine.conf, from: mine.conf, mode: "0640", owner: daemon, group: adm}
    - {path: /etc/shared.conf, from: ../_shared/shared.conf}
    - {path: /var/spool/mine, folder: true, mode: "2750", group: mail}
    - {path: /etc/alias, link: mine.conf}
    - {path: /etc/issue.net, absent: true}
    - {path: /usr/local/sbin/mine, content: "#!/bin/sh\\ntouch /run/mine\\n", mode: "0755"}
    - {path: /etc/systemd/system/mine.service, content: "[Service]\\nType=oneshot\\nRemainAfterExit=yes\\nExecStart=/usr/local/sbin/mine\\n"}
  commands:
    - {name: first look, run: "echo looked; echo twice >&2"}
    - await: {name: mine has run, command: test -e /run/mine}
`;

const scenario = `import { expect, test } from 'multiarch-harness';
test('what the image has', async ({ target, stack }) => {
  const stat = (path: string) => target.sh(\`stat -c '%A %U %G' \${path}\`);
  expect(await stat('/etc/mine.conf')).toBe('-rw-r----- daemon adm');
  expect(await stat('/var/spool/mine')).toBe('drwxr-s--- root mail');
  expect(await target.sh('readlink /etc/alias; cat /etc/shared.conf')).toBe('mine.conf\\nshared');
  expect(await target.sh('test ! -e /etc/issue.net && cat /var/built && stat -c %a /var/built')).toBe('root\\n600');
  expect(await target.sh('cat /etc/mine.conf')).toBe(process.env.MINE);
  expect(await stack.service('cron').isActive()).toBe(false);
  await stack.service('cron').start();
  expect(await stack.service('cron').isActive()).toBe(true);
});
test('what a guest makes of a file outlasts a power cut', async ({ target }) => {
  await target.sh('echo changed >/etc/mine.conf; sync');
  await target.powerCycle();
  expect(await target.sh('cat /etc/mine.conf')).toBe('changed');
});
`;

test('files with owners, links, folders, what is absent, units, build commands, and steps that take their time', async () => {
  await using project = await makeProject({
    'matrices/m.yaml': `arch: [${arch}]\nsuite: [files]\n`,
    'suites/files/suite.yaml': suite(randomUUID()),
    'suites/files/mine.conf': 'one',
    'suites/files/files.scenario.ts': scenario,
    'suites/_shared/shared.conf': 'shared',
  });
  const first = await project.harness(['run', 'm', '--cold'], { MINE: 'one' });
  expect(first.exitCode, first.stderr).toBe(0);
  const [cell] = (await project.results()).cells;
  const deploy = cell!.steps.find(({ step }) => step === 'deploy');
  expect(deploy?.phases?.map(({ name }) => name)).toEqual(['first look', 'mine has run']);
  expect(await project.read(`cells/${cell!.name}/deploy.log`)).toBe('looked\ntwice\n');
  expect(cell!.artifacts).toContain(`cells/${cell!.name}/deploy.log`);

  await writeFile(join(project.folder, 'suites/files/mine.conf'), 'two');
  const second = await project.harness(['run', 'm', '--cold'], { MINE: 'two' });
  expect(second.exitCode, second.stderr).toBe(0);
  const image = (await project.results()).cells[0]!.steps.find(({ step }) => step === 'image');
  expect(image?.note).toMatch(/from the cache$/);
});

test('a build command that fails, and an owner that is nobody', async () => {
  await using project = await makeProject({
    'matrices/m.yaml': `arch: [${arch}]\nsuite: [bad, nobody]\n`,
    'suites/bad/suite.yaml': 'stack: {build: ["true", "echo no schema >&2; exit 3"]}\n',
    'suites/nobody/suite.yaml': 'stack: {files: [{path: /etc/x, content: x, owner: nobodyelse}]}\n',
  });
  const { exitCode, stderr } = await project.harness(['run', 'm', '--no-bench']);
  expect(exitCode, stderr).not.toBe(0);
  const reasons = (await project.results()).cells.map(({ verdict, reason }) => `${verdict}: ${reason}`);
  expect(reasons).toEqual([
    'failed: cannot build the image: the command 2 of 2: sh -c echo no schema >&2; exit 3 failed',
    'failed: cannot give /etc/x to user "nobodyelse": the image has no such user',
  ]);
});
