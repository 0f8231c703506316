import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { architectures, nativeArch } from '../harness/arch/index.ts';
import { leftovers, makeProject, matrixYaml, suiteYaml } from './support/project.ts';

const arch = nativeArch()!.name;

test('a failure of an earlier run is explained: by chance, or the test itself', async () => {
  await using project = await makeProject({
    'matrices/m.yaml': `arch: [${arch}]\nsuite: [s]\ntarget: [local]\ncontrol: ${arch}\nlimits: {scale: 5}\n`,
    'suites/s/suite.yaml': '{}\n',
    'suites/s/a.scenario.ts': `import { expect, test } from 'multiarch-harness';
test('is red', () => { expect(1).toBe(2); });
test('is red once', () => { expect(process.env['FIXED']).toBe('1'); });
test('is green', () => {});
`,
  });
  const cell = `${arch}/local/s`;
  await project.harness(['run', 'm']);
  const { exitCode, stdout } = await project.harness(['explain', cell], { FIXED: '1' });
  expect(exitCode).toBe(0);
  const [, red, once] = stdout.split(`${cell}  a.scenario.ts  `);
  expect(red).toMatch(/^is red\n/);
  expect(red).toContain('→ It fails again here, on the control architecture: it is the test’s fault');
  expect(once).toContain('→ It passes here now: it fails by chance.');
  const one = await project.harness(['explain', cell, 'once'], { FIXED: '1' });
  expect(one.stdout).not.toContain('is red\n');
  const noQemu = await project.harness(['explain', cell, '--qemu', '/usr/bin']);
  expect(noQemu).toMatchObject({ exitCode: 2 });
  expect(noQemu.stderr).toContain(`cannot try ${cell} under another QEMU: no local target has one`);
  const green = await project.harness(['explain', cell, 'green']);
  expect(green).toMatchObject({ exitCode: 2 });
  expect(green.stderr).toContain(`no failed test of ${cell} is called "green", expected one of is red, is red once`);
});

test('what passes under another build of QEMU is the emulator’s', async () => {
  const { binary } = architectures.amd64.qemu;
  await using project = await makeProject({
    'matrices/m.yaml': matrixYaml(['s']),
    'suites/s/suite.yaml': suiteYaml(),
    'suites/s/a.scenario.ts': `import { expect, test } from 'multiarch-harness';
test('is of another vendor', async ({ target }) => {
  expect(await target.sh('cat /sys/class/dmi/id/sys_vendor')).toBe('another');
});
`,
  });
  const build = join(project.folder, 'qemu');
  await mkdir(build);
  await writeFile(join(build, binary), `#!/bin/sh\nexec ${binary} -smbios type=1,manufacturer=another "$@"\n`);
  await chmod(join(build, binary), 0o755);
  expect(await project.harness(['run', 'm'])).toMatchObject({ exitCode: 1 });
  const explained = await project.harness(['explain', 'amd64/vm/s', '--qemu', build]);
  expect(explained.stdout, explained.stderr).toMatch(/here, again \(QEMU [^)]*\): failed/);
  expect(explained.stdout, explained.stderr).toContain('→ It passes under the other QEMU: the cause is the emulator.');
  expect(explained.exitCode).toBe(0);
  expect(explained.stderr).toContain(`trying 1 again on amd64/vm/s with ${build}`);
  const nowhere = await project.harness(['explain', 'amd64/vm/s', '--qemu', '/nowhere/bin']);
  expect(nowhere).toMatchObject({ exitCode: 2, stdout: '' });
  expect(nowhere.stderr).toContain('cannot use the QEMU of /nowhere/bin: there is no such file or folder');
  expect(await leftovers(project.folder)).toEqual([]);
});
