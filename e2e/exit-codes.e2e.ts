import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { nativeArch } from '../harness/arch/index.ts';
import type { StoredEvent, TestStarted } from '../harness/events/types.ts';
import { leftovers, makeProject, type TestProject } from './support/project.ts';

// 1 always means that a voting cell failed. An error that keeps a run from starting gives 2 or 3 and one line; a later
// one gives a warning, and the cells decide the exit code.

const arch = nativeArch()!.name;
const main = join(import.meta.dirname, '../harness/cli/main.ts');
const isRoot = process.getuid?.() === 0;

const files = {
  'matrices/green.yaml': `arch: [${arch}]\nsuite: [green]\ntarget: [local]\n`,
  'matrices/slow.yaml': `arch: [${arch}]\nsuite: [slow]\ntarget: [local]\n`,
  'suites/green/suite.yaml': 'machine: { memory: 64 }\n',
  'suites/green/a.scenario.ts': `import { test } from 'multiarch-harness';\ntest('t', () => {});\n`,
  'suites/slow/suite.yaml': 'machine: { memory: 64 }\n',
  'suites/slow/a.scenario.ts': `import { existsSync } from 'node:fs';
import { test } from 'multiarch-harness';
test('waits for a file', async () => {
  while (!existsSync(process.env['GO_ON']!)) await new Promise((resolve) => setTimeout(resolve, 50));
});
for (let n = 0; n < 40; n++) test(n + ' with a long name'.repeat(20), () => {});
`,
};

/** `error: …` or `warning: …` on a line of its own, and no stack trace. */
function expectOneLine(stderr: string, label: 'error' | 'warning', message: string | RegExp): void {
  const said = stderr.split('\n').filter((line) => line.startsWith(`${label}: `));
  expect(said, stderr).toEqual([expect.stringMatching(message)]);
  expect(stderr).not.toMatch(/^\s+at |bug in the harness/m);
}

/** `harness ARGS…` with its output redirected by a shell. */
function redirected(project: TestProject, args: string, redirection: string) {
  return execa('bash', ['-c', `exec ${process.execPath} ${main} ${args} ${redirection}`], {
    cwd: project.folder,
    env: { VITEST: undefined, GITHUB_STEP_SUMMARY: undefined, GITHUB_ACTIONS: undefined, ...project.env },
    reject: false,
    stdin: 'ignore',
  });
}

describe('before anything runs', () => {
  test.each([
    ['list green', '> /dev/full', 3],
    ['list green --json', '> /dev/full', 3],
    ['matrix green --github', '> /dev/full', 3],
    ['--help', '> /dev/full', 3],
    ['list green', '> >(true)', 0],
    ['list green', '2> /dev/full', 0],
    ['list nothing', '2> /dev/full', 2],
  ])('harness %s %s: %i', async (args, redirection, exitCode) => {
    await using project = await makeProject(files);
    const result = await redirected(project, args, redirection);
    expect(result.exitCode, result.stderr).toBe(exitCode);
    if (exitCode === 3) expectOneLine(result.stderr, 'error', /^error: cannot write to the standard output: no space/);
  });

  test.each([
    ['run green', 'HARNESS_STATE', 'a-file', 3],
    ['run green', 'HARNESS_STATE', '/proc/nothing', 3],
    ['images list', 'HARNESS_CACHE', 'a-file', 0],
    ['history list', 'HARNESS_CACHE', 'a-file', 0],
    ['matrix green --github', 'GITHUB_OUTPUT', '/nowhere/output', 3],
    ['matrix green --github', 'GITHUB_OUTPUT', '.', 3],
  ])('harness %s with %s=%s: %i', async (args, name, value, exitCode) => {
    await using project = await makeProject({ ...files, 'a-file': '' });
    const result = await project.harness(args.split(' '), { [name]: value });
    expect(result.exitCode, result.stderr).toBe(exitCode);
    if (exitCode !== 0) expectOneLine(result.stderr, 'error', /^error: cannot /);
    else expect(result.stderr).toBe('');
  });

  test.each(['.harness', '.harness/runs'])('%s is a file', async (name) => {
    await using project = await makeProject({ ...files, [name]: '' });
    const { exitCode, stderr } = await project.harness(['run', 'green']);
    expectOneLine(stderr, 'error', /^error: cannot create .*: (not a directory|file already exists)$/);
    expect(exitCode).toBe(3);
  });

  test.runIf(isRoot)('a read-only project', async () => {
    await using project = await makeProject(files);
    await execa('mount', ['--bind', project.folder, project.folder]);
    try {
      await execa('mount', ['-o', 'remount,bind,ro', project.folder]);
      const { exitCode, stderr } = await project.harness(['run', 'green'], { HARNESS_STATE: '/tmp/harness-e2e-state' });
      expectOneLine(stderr, 'error', /^error: cannot create .*: read-only file system$/);
      expect(exitCode).toBe(3);
    } finally {
      await execa('umount', [project.folder]);
      await rm('/tmp/harness-e2e-state', { recursive: true, force: true });
    }
  });

  test('the current folder was removed', async () => {
    await using project = await makeProject(files);
    const script = `mkdir gone && cd gone && rmdir ../gone && exec ${process.execPath} ${main} list`;
    const { exitCode, stderr } = await execa('bash', ['-c', script], { cwd: project.folder, reject: false });
    expectOneLine(stderr, 'error', 'error: cannot find the current folder: it was removed');
    expect(exitCode).toBe(3);
  });

  test.each([
    'report nope',
    'export nope --format go',
    'compare nope latest',
    'compare --parity nope',
    'history add nope',
    'open nope',
  ])('harness %s names the runs there are', async (args) => {
    await using project = await makeProject(files);
    const none = await project.harness(args.split(' '));
    expectOneLine(none.stderr, 'error', 'there is no run "nope": the project has no runs yet');
    expect(none.exitCode).toBe(2);
    const events = join(project.folder, '.harness/runs/20260101-000000-aaaa/events.jsonl');
    await mkdir(join(events, '..'), { recursive: true });
    await writeFile(events, '');
    const other = await project.harness(args.split(' '));
    expectOneLine(other.stderr, 'error', 'unknown run "nope", expected "20260101-000000-aaaa"');
    expect(other.exitCode).toBe(2);
  });

  test.each(['', '{}\n', 'no JSON\n', '{"v":1,"seq":0,"type":"log","at":"2026-01-01T00:00:00Z"}\n'])(
    'a run whose events are %j',
    async (text) => {
      await using project = await makeProject({ ...files, '.harness/runs/damaged/events.jsonl': text });
      for (const args of ['report damaged', 'export damaged --format go', 'compare damaged damaged']) {
        const { exitCode, stderr } = await project.harness(args.split(' '));
        expectOneLine(stderr, 'error', /^error: cannot (read|fold)/);
        expect(exitCode).toBe(2);
      }
    },
  );
});

describe('after a green run', () => {
  test('stdout on a full disk, a summary that cannot be written: warnings', async () => {
    await using project = await makeProject(files);
    const full = await redirected(project, 'run green --json', '> /dev/full');
    expectOneLine(full.stderr, 'warning', 'warning: cannot write to the standard output: no space left on device');
    expect(full.exitCode).toBe(0);
    const summary = await project.harness(['run', 'green'], { GITHUB_STEP_SUMMARY: '/nowhere/summary' });
    expectOneLine(summary.stderr, 'warning', /^warning: Unable to access summary file/);
    expect(summary.exitCode).toBe(0);
    const merged = await project.harness(['merge', '.harness/runs/latest'], {
      GITHUB_STEP_SUMMARY: '/nowhere/summary',
    });
    expectOneLine(merged.stderr, 'warning', /^warning: Unable to access summary file/);
    expect(merged.exitCode).toBe(0);
    // Reports of that run again, into a folder in which something else has a report's name.
    await rm(join(project.folder, '.harness/runs/latest/index.html'));
    await mkdir(join(project.folder, '.harness/runs/latest/index.html'));
    const report = await project.harness(['report']);
    expectOneLine(report.stderr, 'warning', /^warning: cannot write .*index\.html/);
    expect(report.exitCode).toBe(3);
  });

  /** Runs the slow matrix, and changes its project while the test runs. */
  async function meanwhile(
    act: (runFolder: string) => Promise<unknown>,
    mend: () => Promise<unknown> = async () => {},
  ) {
    const project = await makeProject(files);
    const goOn = `${project.folder}-go-on`;
    const run = project.start(['run', 'slow'], { GO_ON: goOn });
    await project.event((event): event is StoredEvent & TestStarted => event.type === 'test.started');
    await act(join(project.folder, '.harness/runs/latest'));
    await writeFile(goOn, '');
    const { exitCode, stderr } = (await run) as { exitCode: number; stderr: string };
    await mend();
    await rm(goOn, { force: true });
    return { project, exitCode, stderr };
  }

  test('a report that cannot be written', async () => {
    const { project, exitCode, stderr } = await meanwhile((folder) => mkdir(join(folder, 'index.html')));
    await using _ = project;
    expectOneLine(stderr, 'warning', /^warning: cannot write .*index\.html/);
    expect(exitCode).toBe(0);
    expect(JSON.parse(await project.read('results.json'))).toMatchObject({ state: 'passed', exitCode: 0 });
  });

  test.runIf(isRoot)('no space is left for its events: 3, and nothing is left of its target', async () => {
    await using project = await makeProject(files);
    const runs = join(project.folder, '.harness');
    await mkdir(runs);
    await execa('mount', ['-t', 'tmpfs', '-o', 'size=2M', 'tmpfs', runs]);
    try {
      const goOn = `${project.folder}-go-on`;
      const run = project.start(['run', 'slow'], { GO_ON: goOn });
      await project.event((event): event is StoredEvent & TestStarted => event.type === 'test.started');
      await execa('dd', ['if=/dev/zero', `of=${join(runs, 'filler')}`, 'bs=4096'], { reject: false });
      await writeFile(goOn, '');
      const { exitCode, stderr } = (await run) as { exitCode: number; stderr: string };
      await rm(goOn);
      expect(stderr).toMatch(/^error: cannot append to .*events\.jsonl: ENOSPC/m);
      expect(stderr).not.toMatch(/^\s+at |bug in the harness/m);
      expect(exitCode).toBe(3);
      expect((await leftovers(project.folder)).filter((what) => !what.includes('/tmp/'))).toEqual([]);
    } finally {
      await execa('umount', [runs]);
    }
  });
});

test.runIf(isRoot)('a state folder that this user may not write to', async () => {
  await using project = await makeProject(files);
  const state = join(project.folder, 'not-yours');
  await mkdir(state, { mode: 0o755 });
  await chown(state, 65534, 65534);
  // Another user may not be able to read this checkout. A root that may not override what files allow can.
  const without = '-dac_override,-dac_read_search';
  const { exitCode, stderr } = await execa(
    'setpriv',
    ['--bounding-set', without, '--inh-caps', without, process.execPath, main, 'run', 'green'],
    {
      cwd: project.folder,
      env: { ...project.env, HARNESS_STATE: state, HARNESS_CACHE: '/nowhere', HOME: '/nowhere' },
      reject: false,
    },
  );
  expectOneLine(stderr, 'error', /^error: cannot note in .*not-yours\/leases what a run takes: EACCES/);
  expect(exitCode).toBe(3);
});
