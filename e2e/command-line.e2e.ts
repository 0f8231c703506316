import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { archNames } from '../harness/arch/index.ts';
import type { StoredEvent } from '../harness/events/types.ts';
import { makeProject, matrixYaml, suiteYaml } from './support/project.ts';

const files = {
  'matrices/m.yaml': matrixYaml(['one']),
  'suites/one/suite.yaml': suiteYaml(),
  'suites/one/a.scenario.ts': `import { test } from 'multiarch-harness';\ntest('t', () => {});\n`,
};

test.each([
  [
    ['list', '--arch', 'amd46'],
    `error: unknown architecture "amd46", expected one of ${archNames.join(', ')}; did you mean "amd64"?`,
  ],
  [['run', 'm', '--suite', 'on'], 'error: unknown suite "on"'],
  [['run', 'm', '--only', '*/vm/none'], 'error: '],
  [['run', 'nn'], 'error: '],
  [['runn'], "error: unknown command 'runn'"],
])('%j is refused with exit code 2', async (args, message) => {
  await using project = await makeProject(files);
  const { exitCode, stderr } = await project.harness(args);
  expect(stderr).toContain(message);
  expect(exitCode).toBe(2);
});

test('a package that one architecture does not have is named, and nothing is started', async () => {
  await using project = await makeProject({
    ...files,
    'matrices/m.yaml': matrixYaml(['one']).replace('[amd64]', '[ppc64le]'),
    'suites/one/suite.yaml': suiteYaml('stack: {packages: [memtest86+]}'),
  });
  const { exitCode, stderr } = await project.harness(['images', 'build', 'm']);
  expect(stderr).toContain(
    'error: suites/one/suite.yaml:2:20: unknown package "memtest86+": Debian bookworm has none of that name for ppc64le',
  );
  expect(stderr).toContain(
    'next: Look the name up at https://packages.debian.org/bookworm/, or leave ppc64le out with `arch:` in the suite.',
  );
  expect(exitCode).toBe(2);
});

test.runIf(process.getuid?.() === 0)(
  'no disk space for an image says how much it needs, and leaves nothing',
  async () => {
    await using project = await makeProject(files);
    const small = join(project.folder, 'small');
    await mkdir(small);
    await execa('mount', ['-t', 'tmpfs', '-o', 'size=200M', 'tmpfs', small]);
    try {
      const { exitCode, stderr } = await project.harness(['images', 'build', 'm'], { HARNESS_CACHE: small });
      expect(stderr).toMatch(
        /error: cannot build the base image of bookworm amd64 base: it needs 2\.0 GiB below .*\/small, and \d+ MiB are free/,
      );
      expect(stderr).toContain(
        'next: Free some space with `harness images gc`, or point HARNESS_CACHE at a larger disk.',
      );
      expect(exitCode).toBe(3);
      const { stdout } = await project.harness(['images', 'list', '--json'], { HARNESS_CACHE: small });
      expect(JSON.parse(stdout)).toEqual({ images: [], partial: [] });
    } finally {
      await execa('umount', [small]);
    }
  },
);

test('init writes a project that passes', async () => {
  await using project = await makeProject({});
  expect((await project.harness(['init'])).exitCode).toBe(0);
  const run = await project.harness(['run', '--arch', 'amd64']);
  expect(run.stderr).toContain('passed');
  expect(run.exitCode).toBe(0);
});

const fixture = join(import.meta.dirname, '../reports/fixtures');

test('compare --parity: test by test, with causes, and an exit code for machines', async () => {
  await using project = await makeProject(files);
  const compare = (...args: string[]) => project.harness(['compare', '--parity', `${fixture}/events.jsonl`, ...args]);
  const text = await compare();
  expect(text).toMatchObject({ exitCode: 0, stderr: '' });
  expect(text.stdout).toMatch(
    /differ .*is right after 8 clients.* failed \/ passed +the emulated arm64 vm: passes on amd64/,
  );
  expect(text.stdout).toContain('skipped on container: a container has no power');
  expect(text.stdout).toContain('41 compared: 1 differ, 2 cannot tell, 14 only one, 1 neither, 23 agree');
  const failing = await compare('--json', '--fail-on-differ', '--targets', 'container,vm');
  expect(failing.exitCode).toBe(1);
  expect(JSON.parse(failing.stdout).counts).toMatchObject({ differ: 1, agree: 23 });
  const wrong = await compare('--targets', 'vm,ssh');
  expect(wrong).toMatchObject({ exitCode: 2, stdout: '' });
  expect(wrong.stderr).toContain('there is no cell of kind "ssh" to compare');
});

test('compare --fail-on: what was not compared is no success, and nothing to fail on is none either', async () => {
  await using project = await makeProject(files);
  const lines = (await readFile(join(fixture, 'events.jsonl'), 'utf8')).trim().split('\n');
  const make = async (name: string, change: (event: StoredEvent) => StoredEvent | undefined) => {
    const events = lines
      .map((line) => JSON.parse(line) as StoredEvent)
      // Two of the fixture's benchmarks have too few samples to be compared.
      .filter((event) => event.type !== 'benchmark.finished' || event.measurement.samplesMs.length >= 6)
      .flatMap((event) => change(event) ?? []);
    await mkdir(join(project.folder, name));
    await writeFile(
      join(project.folder, name, 'events.jsonl'),
      events.map((event, seq) => `${JSON.stringify({ ...event, seq })}\n`).join(''),
    );
  };
  const measured = (event: StoredEvent) => event.type === 'benchmark.finished';
  await make('same', (event) => event);
  await make('none', (event) => (measured(event) ? undefined : event));
  await make('half', (event) => (measured(event) && event.seq % 2 === 0 ? undefined : event));
  await make('processor', (event) =>
    event.type === 'cell.facts' ? { ...event, facts: { ...event.facts, cpu: 'another' } } : event,
  );
  const compare = (base: string, next: string, ...args: string[]) => project.harness(['compare', base, next, ...args]);
  const same = './same/';
  expect(await compare(same, same, '--fail-on', '2%')).toMatchObject({ exitCode: 0, stderr: '' });
  const none = await compare(same, './none/', '--fail-on', '2%');
  expect(none).toMatchObject({ exitCode: 4, stdout: expect.stringContaining('0 of 18 compared') });
  expect(none.stderr).toMatch(/^no verdict: 0 of 18 compared.*\n {2}\d+ × it has no figure any more/);
  expect(await compare('./none/', './none/', '--fail-on', '2%')).toMatchObject({
    exitCode: 4,
    stderr: 'no verdict: neither run has benchmarks',
  });
  const half = await compare(same, './half/', '--fail-on', '2%');
  expect(half.exitCode).toBe(4);
  expect(half.stdout).toMatch(/\n([1-9]|1[0-7]) of 18 compared/);
  const few = await compare(`${fixture}/events.jsonl`, `${fixture}/events.jsonl`, '--fail-on', '2%');
  expect(few).toMatchObject({ exitCode: 4, stdout: expect.stringContaining('18 of 20 compared') });
  expect(few.stderr).toContain('2 × the base has 4 samples, and it takes 6');
  const processor = await compare(same, './processor/', '--fail-on', '2%');
  expect(processor).toMatchObject({ exitCode: 4, stdout: expect.stringContaining('0 of 18 compared') });
  expect(processor.stderr).toContain('the processor was qemu64, and is another');
  // Without --fail-on, the exit code is 0.
  expect((await compare(same, './none/')).exitCode).toBe(0);
  const json = JSON.parse((await compare(same, './half/', '--json')).stdout);
  expect(json).toMatchObject({ of: 18, compared: expect.any(Number) });
  expect(json.compared).toBeLessThan(18);
});
