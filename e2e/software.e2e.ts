import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeProject, type TestProject, troubles } from './support/project.ts';

/** A program in C in a folder of the suite, for arm64, made by a script with a compiler that crosses. */
const suite = (name: string, script: string, artifact = 'greet') => ({
  [`matrices/${name}.yaml`]: `arch: [arm64]\nsuite: [${name}]\n`,
  [`suites/${name}/suite.yaml`]: `machine: {memory: 256}
stack:
  build:
    - source: ./daemon
      needs: [gcc, libc6-dev]
      cross: [gcc-$DEB_HOST_GNU_TYPE, libc6-dev-$DEB_HOST_ARCH-cross]
      run: [[bash, make.sh]]
      artifacts: {${artifact}: /usr/local/bin/greet}
    - greet > /etc/greeting
`,
  [`suites/${name}/daemon/make.sh`]: `set -e\n${script}\n`,
  [`suites/${name}/daemon/greet.c`]: `#include <stdio.h>
int main(void) { puts("I am " ARCH); return 0; }
`,
  [`suites/${name}/a.scenario.ts`]: `import { expect, test } from 'multiarch-harness';
test('greets', async ({ target }) => {
  expect(await target.sh('greet; cat /etc/greeting')).toBe('I am arm64\\nI am arm64');
  expect(await target.sh('test -e /build || echo nothing else is left')).toBe('nothing else is left');
});
`,
});

const CROSS = '$DEB_HOST_GNU_TYPE-gcc -o greet greet.c "-DARCH=\\"$HARNESS_ARCH\\""';
const NATIVE = 'gcc -o greet greet.c "-DARCH=\\"$HARNESS_ARCH\\""';

test('software is made from source for another architecture once, before the commands that need it', async () => {
  await using project = await makeProject(suite('greets', CROSS));
  const { exitCode, stderr } = await project.harness(['run', 'greets']);
  expect(troubles(await project.results()), stderr).toEqual([]);
  expect(exitCode, stderr).toBe(0);
  const again = await project.harness(['images', 'build', 'greets']);
  expect(again.exitCode, again.stderr).toBe(0);
  expect(again.stdout + again.stderr).not.toContain('make.sh');
});

async function whyNot(project: TestProject, name: string): Promise<string> {
  const { exitCode, stdout, stderr } = await project.harness(['images', 'build', name]);
  expect(exitCode).not.toBe(0);
  return stdout + stderr;
}

test('a command that fails, a file that is not made, a program of another architecture and a network are said', async () => {
  await using project = await makeProject({
    ...suite('fails', 'echo this will not do; exit 3'),
    ...suite('misses', CROSS, 'bin/greet'),
    ...suite('forgets', NATIVE),
    ...suite('reaches', '(exec 3<>/dev/tcp/127.0.0.1/9) 2>&1 || true; exec 3<>/dev/tcp/192.0.2.1/80'),
  });
  const failed = await whyNot(project, 'fails');
  expect(failed).toContain('cannot build fails for arm64: the command 1 of 1: bash make.sh failed');
  expect(failed).toContain('this will not do');
  expect(await whyNot(project, 'misses')).toContain(
    'cannot build misses for arm64: its commands made no file bin/greet',
  );
  expect(await whyNot(project, 'forgets')).toContain('cannot build forgets for arm64: greet is a program for amd64');
  const reached = await whyNot(project, 'reaches');
  // Of a network of its own there is the loopback.
  expect(reached).toContain('Connection refused');
  expect(reached).toContain('Network is unreachable');
});

test('what is the same for all architectures is prepared once, without any of their names', async () => {
  await using project = await makeProject({
    'matrices/prepares.yaml': 'arch: [amd64, arm64]\nsuite: [prepares]\n',
    'suites/prepares/suite.yaml': `stack:
  build:
    - source: ./table
      prepare: ["cat /proc/sys/kernel/random/uuid > once; chmod 640 once; ln -s once link; test -z \\"$GOARCH$HARNESS_ARCH\\""]
      run: ["(cat link; echo $HARNESS_ARCH) > made"]
      artifacts: {made: /etc/made, once: /etc/once}
`,
    'suites/prepares/table/README': 'nothing to see\n',
    'suites/prepares/a.scenario.ts': `import { test } from 'multiarch-harness';\ntest('boots', async () => {});\n`,
  });
  const { exitCode, stdout, stderr } = await project.harness(['images', 'build', 'prepares']);
  expect(exitCode, stdout + stderr).toBe(0);
  const listed = await project.harness(['images', 'list', '--json']);
  const { images } = JSON.parse(listed.stdout) as { images: { kind: string; label: string; folder: string }[] };
  const of = (label: string) => images.filter((image) => image.kind === 'software' && image.label.endsWith(label));
  expect(of('prepares prepares prepared')).toHaveLength(1);
  const made = await Promise.all(
    of(' prepares prepares').map(({ folder }) =>
      Promise.all(['0', '1'].map((name) => readFile(join(folder, name), 'utf8'))),
    ),
  );
  expect(made.map(([text]) => text!.trim().split('\n').at(-1)).sort()).toEqual(['amd64', 'arm64']);
  expect(new Set(made.map(([text]) => text!.split('\n')[0])).size).toBe(1);
  expect(new Set(made.map(([, once]) => once)).size).toBe(1);
});
