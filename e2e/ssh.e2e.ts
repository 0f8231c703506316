import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run as runProgram } from '../harness/base/process.ts';
import type { StepStarted, StoredEvent, TestStarted } from '../harness/events/types.ts';
import { leftovers, makeProject, matrixYaml, suiteYaml, type TestProject, troubles } from './support/project.ts';
import { type StandIn, standIns, writeInventory } from './support/stand-in.ts';

const scenario = (body: string) => `import { expect, test } from 'multiarch-harness';\n${body}\n`;

/** Suites for the cases in which something goes wrong; each records what it changed. */
const files = {
  'matrices/bad.yaml': matrixYaml(['waits', 'full', 'fails'], 'target: [ssh]\n'),
  'suites/waits/suite.yaml': suiteYaml(`needs: [root]
stack:
  files:
    - { path: /etc/harness-was-here, content: "changed\\n" }
    - { path: /etc/motd, content: "changed\\n" }
  commands: ['test -e /etc/harness-was-here']`),
  'suites/waits/a.scenario.ts': scenario(
    `test('is done at once', async ({ target }) => { expect(await target.sh('id -un; cat /etc/motd')).toBe('root\\nchanged'); });
test('takes long', async ({ target }) => { await target.sh('sleep 1000', { seconds: 100 }); });`,
  ),
  'suites/fails/suite.yaml': suiteYaml(`stack:
  files:
    - { path: /etc/motd, content: "changed\\n" }`),
  'suites/fails/a.scenario.ts': scenario(`test('fails', () => { expect(1).toBe(2); });`),
  'suites/full/suite.yaml': suiteYaml(`stack:
  files:
    - { path: /mnt/small/file, from: large }`),
  'suites/full/large': 'x'.repeat(200_000),
  'suites/full/a.scenario.ts': scenario(`test('is not reached', () => {});`),
};

let project: TestProject;
let machine: StandIn;
let machines: string;

const onMachine = async (command: string) =>
  (await machine.target.exec(['sh', '-c', command], { deadlineMs: 60_000 })).stdout.trim();
/** The changes of a run of `waits` on the machine, and the journal of them. */
const state = () => onMachine('cat /etc/motd; ls /etc/harness-was-here /var/lib/multiarch-harness/place-0 2>/dev/null');

const failures = async (of = project): Promise<string[]> => troubles(await of.results());

/** A separate project, so that no earlier run is mistaken for the awaited one, with a run inside its long test. */
async function longRun(args: readonly string[] = ['--target', 'ssh']) {
  const own = await makeProject(files);
  const run = own.start(['run', 'bad', '--suite', 'waits', '--machines', machines, ...args]);
  const begun = () =>
    own.event(
      (event): event is StoredEvent & TestStarted => event.type === 'test.started' && event.name === 'takes long',
    );
  return { own, run, begun };
}

beforeAll(async () => {
  project = await makeProject(files);
  [machine] = (await standIns(project, ['amd64'])) as [StandIn];
  machines = await writeInventory(project, [machine]);
});
afterAll(async () => {
  await machine?.[Symbol.asyncDispose]();
  await project?.[Symbol.asyncDispose]();
});

test('a matrix that prefers machines takes one for the architectures that it has', async () => {
  await writeInventory(project, [machine], 'one.yaml', () => 'address: real-amd64');
  await writeFile(
    join(project.folder, 'matrices/prefers.yaml'),
    'arch: [amd64, arm64]\nsuite: [waits]\ntarget: [ssh, vm]\n',
  );
  const { stdout } = await project.harness(['list', 'prefers', '--machines', 'one.yaml', '--json']);
  const { cells } = JSON.parse(stdout) as { cells: { name: string; passedOver?: string[] }[] };
  expect(cells.map(({ name }) => name)).toEqual(['amd64/ssh/waits', 'arm64/vm/waits']);
  expect(cells[1]?.passedOver).toEqual([
    'ssh: an ssh target of arm64 is not possible here: one.yaml names no arm64 machine',
  ]);
});

describe('a machine that cannot be used', () => {
  const run = (...args: string[]) => project.harness(['run', 'bad', '--suite', 'waits', '--target', 'ssh', ...args]);

  test('the inventory lies about its architecture', async () => {
    const place = join(project.folder, 'machines.yaml');
    await writeFile(
      join(project.folder, 'matrices/lie.yaml'),
      matrixYaml(['waits'], 'target: [ssh]\n').replace('amd64', 'arm64'),
    );
    await writeInventory(project, [machine], 'lie.yaml', () => 'address: real-amd64, arch: arm64');
    expect((await project.harness(['run', 'lie', '--machines', 'lie.yaml'])).exitCode, place).toBe(3);
    expect(await failures()).toEqual([
      'arm64/ssh/waits infra: cannot use real-amd64: lie.yaml:3:3 says arm64, and it is amd64',
    ]);
  });

  test('nobody answers', async () => {
    const { exitCode, stderr } = await run('--target', 'ssh://nobody@127.0.0.1:9');
    expect(exitCode).toBe(3);
    expect(await failures()).toEqual([
      'amd64/ssh/waits infra: cannot use 127.0.0.1: it cannot be reached (ssh: connect to host 127.0.0.1 port 9: Connection refused)',
    ]);
    expect(stderr).toContain('ssh -v -p 9 nobody@127.0.0.1');
  });

  test('its host key is another one than before', async () => {
    const other = join(project.folder, 'other');
    await runProgram(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', other], {
      purpose: 'make another host key',
    });
    const [type, key] = (await readFile(`${other}.pub`, 'utf8')).split(' ');
    await writeFile(`${other}_hosts`, `* ${type} ${key}\n`);
    const changed = { ...machine, sshConfig: machine.sshConfig.replaceAll(machine.knownHosts, `${other}_hosts`) };
    await writeInventory(project, [changed], 'changed.yaml', () => 'address: real-amd64-direct');
    const { stderr } = await run('--machines', 'changed.yaml');
    await writeInventory(project, [machine]);
    expect(await failures()).toEqual([
      'amd64/ssh/waits infra: cannot use real-amd64: its host key is not the one that is known',
    ]);
    expect(stderr).toContain('Somebody may be in between');
  });

  test('its disk is full', async () => {
    await onMachine('mkdir -p /mnt/small && mount -t tmpfs -o size=64k tmpfs /mnt/small');
    const { exitCode } = await project.harness(['run', 'bad', '--suite', 'full']);
    expect(exitCode).toBe(3);
    expect(await failures()).toEqual([
      expect.stringMatching(
        /^amd64\/ssh\/full infra: cannot write \/mnt\/small\/file on the target: .*No space left on device/,
      ),
    ]);
    expect(await onMachine('ls /mnt/small; umount /mnt/small; rmdir /mnt/small')).toBe('');
  });
});

describe('a run that ends badly', () => {
  let before: string;
  beforeAll(async () => {
    before = await state();
  });

  test('two runs do not share a machine, and the second goes on when the first is interrupted', async () => {
    const first = await longRun();
    await using _first = first.own;
    await first.begun();
    const second = await longRun();
    await using _second = second.own;
    await second.own.event((event): event is StoredEvent & StepStarted => {
      return event.type === 'step.started' && event.step === 'acquire';
    });
    first.run.kill('SIGINT');
    expect((await first.run).exitCode).toBe(130);
    await second.begun();
    second.run.kill('SIGINT');
    expect((await second.run).exitCode).toBe(130);
    // It waited until the first run had restored the machine; otherwise it would have found leftovers.
    expect((await second.own.results()).cells[0]?.logs).toEqual([]);
    expect(await state()).toBe(before);
  });

  test('a connection that is lost in mid-scenario is no failure of the suite, and the next run undoes what was left', async () => {
    const lost = await longRun();
    await using _lost = lost.own;
    await lost.begun();
    await onMachine('pkill -KILL -u tester sshd');
    expect((await lost.run).exitCode).toBe(3);
    expect((await failures(lost.own))[0]).toBe('amd64/ssh/waits infra: the connection to real-amd64 was lost');
    expect(await state()).not.toBe(before);

    const next = await longRun();
    await using _next = next.own;
    await next.begun();
    next.run.kill('SIGINT');
    await next.run;
    expect((await next.own.results()).cells[0]?.logs.map(({ message }) => message)).toContainEqual(
      'real-amd64 had changes of another run: 2 changes were undone',
    );
    expect(await state()).toBe(before);
  });

  test('SIGKILL: gc puts the machine back, and nothing of the run is left here', async () => {
    const killed = await longRun();
    await using own = killed.own;
    await killed.begun();
    killed.run.kill('SIGKILL');
    await killed.run;
    expect(await state()).not.toBe(before);
    expect((await own.harness(['gc'])).stdout).toContain('1 resource elsewhere');
    expect(await state()).toBe(before);
    expect(await leftovers(join(own.folder, '.harness'))).toEqual([]);
  });
});

describe('a machine that commands make', () => {
  let log: string;
  const commands = async (acquire: string) => {
    log = join(project.folder, `${acquire.length}.log`);
    const file = join(project.folder, 'cloud.yaml');
    await writeFile(
      file,
      `ssh-config: ${project.folder}/ssh_config
commands:
  cloud:
    arch: [amd64]
    acquire: 'echo "acquire $HARNESS_ARCH for $HARNESS_CELL" >> ${log}; echo ${acquire}'
    reconnect: 'echo "reconnect $HARNESS_ADDRESS" >> ${log}'
    release: 'echo "release $HARNESS_ADDRESS" >> ${log}'
`,
    );
    return ['--target', 'command', '--machines', file];
  };

  test('is restored and released by gc when the harness was killed', async () => {
    const args = await commands('ssh://real-amd64-direct');
    const before = await state();
    const killed = await longRun(args);
    await using own = killed.own;
    await killed.begun();
    killed.run.kill('SIGKILL');
    await killed.run;
    expect(await state()).not.toBe(before);
    expect((await own.harness(['gc'])).stdout).toContain('2 resources elsewhere');
    expect(await state()).toBe(before);
    expect(await readFile(log, 'utf8')).toBe(
      'acquire amd64 for amd64/command/waits\nreconnect ssh://real-amd64-direct\nrelease ssh://real-amd64-direct\n',
    );
  });

  test('is found again by its command when it was kept, and released by gc', async () => {
    const args = await commands('ssh://real-amd64-direct');
    await writeFile(log, '');
    const before = await state();
    const run = await project.harness(['run', 'bad', '--suite', 'fails', '--keep', ...args]);
    expect(run.exitCode).toBe(1);
    const inside = await project.harness(['shell', 'amd64/command/fails', '--', 'cat', '/etc/motd']);
    expect(inside).toMatchObject({ exitCode: 0, stdout: 'changed' });
    expect((await project.harness(['gc'])).exitCode).toBe(0);
    expect(await state()).toBe(before);
    expect((await readFile(log, 'utf8')).split('\n').map((line) => line.split(' ')[0])).toEqual([
      'acquire',
      'reconnect',
      'release',
      '',
    ]);
  });

  test('a command that prints no address is at fault, and what may exist is released', async () => {
    const args = await commands('here you are');
    expect((await project.harness(['run', 'bad', '--suite', 'waits', ...args])).exitCode).toBe(3);
    expect(await failures()).toEqual([
      'amd64/command/waits infra: cannot make a machine with cloud.yaml:3:3: cannot read the address "here you are": expected ssh://user@host:port',
    ]);
    expect((await readFile(log, 'utf8')).endsWith('release \n')).toBe(true);
  });
});
