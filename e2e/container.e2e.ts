import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { architectures } from '../harness/arch/index.ts';
import { run } from '../harness/base/process.ts';
import { retryUntil } from '../harness/base/time.ts';
import type { StoredEvent, TestStarted } from '../harness/events/types.ts';
import { CONTAINER_FILE, writeArchive } from '../harness/images/container.ts';
import { ensureImage } from '../harness/targets/container/image.ts';
import { bridges, heldBy, mayStartEngine, startEngine, type TestEngine } from './support/engine.ts';
import { leftovers, makeProject, type TestProject, troubles } from './support/project.ts';

/** A separate engine beside the machine's needs root, or sudo without a password. */
const possible = await mayStartEngine();

let engine: TestEngine;
let bridgesBefore: string[];
beforeAll(async () => {
  bridgesBefore = await bridges();
  if (possible) engine = await startEngine();
});
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  // Another test's engine has some for a while; what we left stays.
  const more = async () => (await bridges()).filter((name) => !bridgesBefore.includes(name));
  await retryUntil(async () => expect(await more()).toEqual([]), { deadlineMs: 300_000, everyMs: 1000 });
});

const matrix = (suites: string) => `arch: [amd64]\ntarget: [container]\nsuite: [${suites}]\nlimits: {scale: 10}\n`;
const scenario = (body: string) => `import { expect, test } from 'multiarch-harness';\n${body}\n`;
const long = {
  'matrices/long.yaml': matrix('long'),
  'suites/long/suite.yaml': 'machine: {memory: 256}\n',
  'suites/long/a.scenario.ts': scenario(
    `test('takes long', async ({ target }) => { await target.sh('sleep 1000', { seconds: 100 }); });`,
  ),
};
const longRuns = (event: StoredEvent): event is StoredEvent & TestStarted => event.type === 'test.started';

// On a hosted runner these tests must not be skipped silently.
test.runIf(process.env['CI'] === 'true')('an engine can be started here', () => {
  expect(possible).toBe(true);
});

describe.runIf(possible)('web, from the same files as on a vm', () => {
  let project: TestProject;
  beforeAll(async () => {
    project = await makeProject({
      'matrices/both.yaml': `arch: [amd64, ppc64le]
target: {each: [vm, container]}
suite: [web]
exclude: [{target: vm, arch: [ppc64le]}]
`,
    });
    return () => project[Symbol.asyncDispose]();
  });

  test('passes natively and through qemu-user', async () => {
    const { exitCode, stderr } = await project.harness(['run', 'both', '--no-bench'], engine.env);
    const results = await project.results();
    expect(troubles(results), stderr).toEqual([]);
    expect(exitCode).toBe(0);
    const ran = results.cells.map(({ name, facts }) => [name, facts?.accelerator, facts?.machine?.split(' ')[0]]);
    expect(ran.filter(([name]) => name?.includes('container'))).toEqual([
      ['amd64/container/web', 'native', 'Docker'],
      ['ppc64le/container/web', 'qemu-user', 'Docker'],
    ]);
    const skipped = results.cells.flatMap(({ target, tests }) =>
      tests.filter(({ verdict }) => verdict === 'skipped').map(({ note }) => [target, note]),
    );
    expect(skipped).toEqual(Array(2).fill(['container', 'nobody can cut the power of this target']));
    expect(await heldBy(engine)).toEqual([]);
    expect(await leftovers(project.folder)).toEqual([]);
  });

  test('compare --parity shows the vm against the container', async () => {
    const compare = ['compare', '--parity', 'latest', '--targets', 'vm,container'];
    const text = await project.harness([...compare, '--fail-on-differ']);
    expect(text.exitCode, text.stdout).toBe(0);
    expect(text.stdout).toContain('skipped on container: nobody can cut the power of this target');
    expect(text.stdout).toMatch(/amd64 web: 1 only one, 18 agree/);
    const { counts, tests } = JSON.parse((await project.harness([...compare, '--json'])).stdout);
    expect(counts).toMatchObject({ differ: 0, 'cannot tell': 0, agree: 18 });
    expect(tests.filter(({ arch }: { arch: string }) => arch === 'ppc64le')[0]).toMatchObject({
      state: 'only one',
      because: 'no cell on vm',
    });
  });
});

describe.runIf(possible)('troubles', () => {
  test('a unit that fails, a container that ends, memory that runs out, a world that is not reached', async () => {
    await using project = await makeProject({
      'matrices/bad.yaml': matrix('unit, ends, memory, alone'),
      'suites/unit/suite.yaml': `stack:
  files: [{path: /etc/systemd/system/broken.service, content: "[Service]\\nType=oneshot\\nExecStart=/bin/sh -c 'echo no luck; exit 7'\\n"}]
  services: [broken]
`,
      'suites/unit/a.scenario.ts': scenario(`test('is not reached', () => {});`),
      'suites/ends/suite.yaml': '{}\n',
      'suites/ends/a.scenario.ts': scenario(
        `test('ends it', async ({ target }) => { await target.sh('kill -TERM 1; sleep 1000', { seconds: 100 }); });`,
      ),
      'suites/memory/suite.yaml': 'machine: {memory: 128}\n',
      'suites/memory/a.scenario.ts': scenario(
        `test('is limited', async ({ target }) => {
  const { exitCode } = await target.exec(['perl', '-e', 'my $x = "x" x (1 << 29); print length $x']);
  expect(exitCode).toBe(137);
});`,
      ),
      'suites/alone/suite.yaml': '{}\n',
      'suites/alone/a.scenario.ts': scenario(
        `test('is alone, and says who it is', async ({ target }) => {
  expect(await target.sh('uname -m; hostname; id -u; pwd')).toBe('x86_64\\namd64-alone\\n0\\n/root');
  const ask = 'use IO::Socket::INET; exit(IO::Socket::INET->new(PeerAddr => q{151.101.2.132}, PeerPort => 80, Timeout => 3) ? 0 : 9)';
  expect(await target.exec(['perl', '-e', ask])).toMatchObject({ exitCode: 9 });
});
test('bytes come and go as they are', async ({ target }) => {
  await target.write('/srv/a b/ä', 'one\\ntwo\\0', { mode: 0o600 });
  expect(await target.read('/srv/a b/ä')).toBe('one\\ntwo\\0');
  expect(await target.exec(['sh', '-c', 'cat; echo no >&2; exit 3'], { stdin: 'in' })).toMatchObject({ exitCode: 3, stdout: 'in', stderr: 'no\\n' });
  expect(await target.exec(['no-such-program'])).toMatchObject({ exitCode: 127 });
});
test('what takes too long is ended', async ({ target }) => {
  await expect(target.exec('sleep 500', { seconds: 0.1 })).rejects.toThrow('cannot finish \`sh -c sleep 500\`: no end after 1.0 s');
});`,
      ),
    });
    const { exitCode, stderr } = await project.harness(['run', 'bad'], engine.env);
    const { cells } = await project.results();
    const verdicts = Object.fromEntries(cells.map(({ suite, verdict }) => [suite, verdict]));
    expect(verdicts, stderr).toEqual({ unit: 'failed', ends: 'infra', memory: 'passed', alone: 'passed' });
    expect(exitCode).toBe(1);
    const error = (suite: string) =>
      cells.find((cell) => cell.suite === suite)?.steps.find((step) => step.error)?.error;
    expect(error('unit')?.message).toMatch(
      /^cannot start broken: Job for broken\.service failed: ExecStart= exited with 7/,
    );
    expect(error('unit')?.causes?.join('\n')).toContain('no luck');
    expect(error('ends')?.message).toBe('cannot go on with the container: its first process ended with 0');
    expect(error('ends')?.consoleTail?.join('\n')).toContain('all services are stopped');
    expect(await heldBy(engine)).toEqual([]);
  });

  test('a suite that needs a system is refused before anything starts, and no engine is an error with the next step', async () => {
    await using project = await makeProject({ ...long, 'suites/long/suite.yaml': 'needs: [system]\n' });
    expect((await project.harness(['run', 'long'], engine.env)).exitCode).not.toBe(0);
    expect((await project.results()).cells[0]).toMatchObject({
      verdict: 'unsupported',
      reason: expect.stringContaining('the suite needs system, which a container target does not have'),
    });
    await writeFile(join(project.folder, 'suites/long/suite.yaml'), '{}\n');
    const none = await project.harness(['run', 'long'], { DOCKER_HOST: 'unix:///nowhere/docker.sock' });
    expect(none.exitCode).toBe(3);
    expect(none.stderr).toMatch(
      /a Docker engine at unix:\/\/\/nowhere\/docker\.sock \(packages? docker\.io.*\) is missing/,
    );
    // Checked before an image is built; a suite that no container can run is refused even without an engine.
    expect((await project.results()).cells[0]?.steps.map(({ step }) => step)).toEqual(['acquire']);
    await writeFile(join(project.folder, 'suites/long/suite.yaml'), 'needs: [power]\n');
    await project.harness(['run', 'long'], { DOCKER_HOST: 'unix:///nowhere/docker.sock' });
    expect((await project.results()).cells[0]).toMatchObject({
      verdict: 'unsupported',
      reason: expect.stringContaining('the suite needs power, which a container target does not have'),
    });
    await writeFile(join(project.folder, 'suites/long/suite.yaml'), '{}\n');
    const wrong = await project.harness(['run', 'long'], { DOCKER_HOST: 'ssh://somewhere' });
    expect(wrong.stderr).toContain('cannot use the Docker engine at "ssh://somewhere": expected unix:// or tcp://');
  });

  test('a package that Debian does not have is named at its place, and nothing is built', async () => {
    await using project = await makeProject({ ...long, 'suites/long/suite.yaml': 'stack: {packages: [ngnix-core]}\n' });
    await project.harness(['run', 'long'], engine.env);
    const [cell] = (await project.results()).cells;
    expect(cell?.steps.map(({ step }) => step)).toEqual(['image']);
    expect(cell?.steps[0]?.error?.message).toBe(
      'suites/long/suite.yaml:1:20: unknown package "ngnix-core": Debian bookworm has none of that name for amd64; did you mean "nginx-core"?',
    );
  });

  test('an image of another architecture under our tag is replaced; one that says another is refused', async () => {
    await using project = await makeProject({});
    const archive = async (name: string, architecture: string) => {
      const folder = join(project.folder, name);
      const scratch = join(folder, 'scratch');
      await run(['mkdir', '-p', join(scratch, 'image'), join(scratch, 'root')], { purpose: 'make folders' });
      await run(['tar', '-cf', join(scratch, 'layer.tar'), '-C', join(scratch, 'root'), '.'], { purpose: 'pack' });
      const config = (diff: string) => ({
        ...{ architecture, os: 'linux', created: '1970-01-01T00:00:00Z', config: {}, history: [] },
        rootfs: { type: 'layers', diff_ids: [`sha256:${diff}`] },
      });
      const tag = 'multiarch-harness/system:test';
      await writeArchive({ tag: () => tag, layer: join(scratch, 'layer.tar'), config }, scratch, folder);
      return { tag, archive: join(folder, CONTAINER_FILE) };
    };
    const [right, wrong] = [await archive('right', 'arm64'), await archive('wrong', 'amd64')];
    const ensure = (image: typeof right) => ensureImage(engine.address, architectures.arm64, image, () => {});
    await expect(ensure(wrong)).rejects.toThrow(
      'cannot use the image multiarch-harness/system:test: it is for linux/amd64, not for linux/arm64',
    );
    await ensure(right);
    expect((await engine.client.getImage(right.tag).inspect()).Architecture).toBe('arm64');
    await engine.client.getImage(right.tag).remove();
  });

  test('SIGKILL: what the run had on the engine is removed by gc', async () => {
    await using project = await makeProject(long);
    const killed = project.start(['run', 'long'], engine.env);
    await project.event(longRuns);
    killed.kill('SIGKILL');
    await killed;
    expect((await heldBy(engine)).sort()).toEqual([
      expect.stringMatching(/^\/harness-.*amd64-container-long/),
      expect.stringMatching(/^harness-.*amd64-container-long/),
    ]);
    const gc = await project.harness(['gc']);
    expect(gc).toMatchObject({ exitCode: 0 });
    expect(gc.stdout).toMatch(/removed 0 processes, \d+ paths?, 2 resources elsewhere/);
    expect(await heldBy(engine)).toEqual([]);
    expect(await readdir(join(project.env['HARNESS_STATE']!, 'leases'))).toEqual([]);
  });

  test('Ctrl-C leaves nothing', async () => {
    await using project = await makeProject(long);
    const stopped = project.start(['run', 'long'], engine.env);
    await project.event(longRuns);
    stopped.kill('SIGINT');
    expect((await stopped).exitCode).toBe(130);
    expect(await heldBy(engine)).toEqual([]);
  });

  test('--keep: the container of a failed cell stays, can be entered, and gc ends it', async () => {
    await using project = await makeProject({
      'matrices/red.yaml': matrix('red'),
      'suites/red/suite.yaml': '{}\n',
      'suites/red/a.scenario.ts': scenario(
        `test('is red', async ({ target }) => { await target.write('/root/mark', 'here'); expect(1).toBe(2); });`,
      ),
    });
    expect((await project.harness(['run', 'red', '--keep'], engine.env)).exitCode).toBe(1);
    expect(await project.harness(['shell', 'amd64/container/red', '--', 'cat', '/root/mark'])).toMatchObject({
      exitCode: 0,
      stdout: 'here',
    });
    await project.harness(['gc']);
    expect(await heldBy(engine)).toEqual([]);
  });

  test('an engine that stops in mid-run is infrastructure; gc removes what it holds once it is back', async () => {
    await using project = await makeProject(long);
    const going = project.start(['run', 'long'], engine.env);
    await project.event(longRuns);
    await engine.crash();
    const { exitCode } = await going;
    const [cell] = (await project.results()).cells;
    expect(exitCode).toBe(3);
    expect(cell).toMatchObject({
      verdict: 'infra',
      reason: expect.stringMatching(/^cannot go on with the container: the Docker engine at unix:.* is gone/),
    });
    expect(cell?.tests[0]).toMatchObject({ verdict: 'infra' });
    expect(cell?.logs.map(({ message }) => message).join()).toContain('something stays behind until');
    const early = await project.harness(['gc']);
    expect(early.exitCode).toBe(3);
    expect(early.stdout).toContain('kept for the next gc: cannot clean up on the Docker engine');

    await engine.start();
    expect((await heldBy(engine)).length).toBeGreaterThan(0);
    expect((await project.harness(['gc'])).exitCode).toBe(0);
    expect(await heldBy(engine)).toEqual([]);
  });
});
