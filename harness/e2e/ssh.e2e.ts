import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Results } from '../../reports/results-schema.ts';
import { retryUntil } from '../base/time.ts';
import type { StoredEvent, TestStarted } from '../events/types.ts';
import { leftovers, makeProject, matrixYaml, suiteYaml, type TestProject, troubles } from './project.ts';
import { type StandIn, standIns } from './stand-in.ts';

const scenario = (body: string) => `import { expect, test } from 'multiarch-harness';\n${body}\n`;

/** Suites for the machine's bad days; each says something of what it changed. */
const files = {
  'matrices/bad.yaml': matrixYaml(['waits', 'full'], 'target: [ssh]\n'),
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
  'suites/full/suite.yaml': suiteYaml(`stack:
  files:
    - { path: /mnt/small/file, from: large }`),
  'suites/full/large': 'x'.repeat(200_000),
  'suites/full/a.scenario.ts': scenario(`test('is not reached', () => {});`),
};

let project: TestProject;
let machines: StandIn[] = [];

const real = (arch: string) => machines.find((machine) => machine.arch === arch)!;
const onMachine = async (command: string) =>
  (await real('amd64').target.exec(['sh', '-c', command], { deadlineMs: 60_000 })).stdout.trim();
/** What a run of \`waits\` changes on the machine, and what is noted there. */
const STATE = 'cat /etc/motd; ls /etc/harness-was-here /var/lib/multiarch-harness/place-0 2>&1 | grep -v cannot';

/** An inventory of the machines with some entries changed. */
async function inventory(name: string, entry: (machine: StandIn) => string): Promise<string> {
  const lines = machines.map((machine) => `  real-${machine.arch}: { ${entry(machine)} }\n`);
  await writeFile(join(project.folder, name), `ssh-config: ssh_config\nmachines:\n${lines.join('')}`);
  return name;
}

const failures = async (): Promise<string[]> => troubles(await project.results());

beforeAll(async () => {
  project = await makeProject(files);
  machines = await standIns(project);
  await writeFile(join(project.folder, 'ssh_config'), `${machines.map(({ sshConfig }) => sshConfig).join('\n')}\n`);
  await inventory('machines.yaml', ({ arch, power }) => `address: real-${arch}, arch: ${arch}, power: ${power}`);
});
afterAll(async () => {
  await Promise.all(machines.map((machine) => machine[Symbol.asyncDispose]()));
  await project[Symbol.asyncDispose]();
});

describe('web on machines that exist', () => {
  let results: Results;

  test('passes on each, reached as its own user over a jump host, its power cut by commands', async () => {
    const { stderr } = await project.harness(['run', '--suite', 'web', '--target', 'ssh', '--no-bench']);
    results = await project.results();
    expect(troubles(results), stderr).toEqual([]);
    expect(results.cells.map(({ name }) => name)).toEqual(['amd64/ssh/web', 'arm64/ssh/web', 'ppc64le/ssh/web']);
    for (const { tests } of results.cells) {
      expect(tests.length).toBeGreaterThan(15);
      expect(tests.filter(({ verdict }) => verdict === 'skipped')).toEqual([]);
    }
  });

  test('says what it ran on, and that what is emulated is', () => {
    for (const { arch, facts } of results.cells)
      expect(facts).toMatchObject({ arch, kind: 'ssh', accelerator: 'tcg', machine: `real-${arch}` });
  });

  test('puts the machines back, and says what stays', async () => {
    for (const { steps } of results.cells)
      expect(steps.find(({ step }) => step === 'release')?.note).toMatch(
        /^real-\w+: \d+ changes put back; what stays: what commands/,
      );
    for (const { target } of machines) {
      const asked = 'systemctl is-active app; ls /etc/systemd/system/app.service; head -n 1 /etc/nginx/nginx.conf';
      const { stdout } = await target.exec(['sh', '-c', asked], { deadlineMs: 60_000 });
      expect(stdout).toBe('inactive\nuser www-data;\n');
    }
  });
});

test('a matrix that prefers machines takes one for the architectures that it has', async () => {
  await writeFile(
    join(project.folder, 'one.yaml'),
    'ssh-config: ssh_config\nmachines:\n  a: { address: real-amd64 }\n',
  );
  await writeFile(
    join(project.folder, 'matrices/prefers.yaml'),
    'arch: [amd64, arm64]\nsuite: [waits]\ntarget: [ssh, vm]\n',
  );
  const { stdout } = await project.harness(['list', 'prefers', '--machines', 'one.yaml', '--json']);
  const { cells } = JSON.parse(stdout) as { cells: { name: string; passedOver?: string[] }[] };
  expect(cells.map(({ name }) => name)).toEqual(['amd64/ssh/waits', 'arm64/vm/waits']);
  expect(cells[1]?.passedOver).toEqual([
    'ssh: a ssh target of arm64 is not possible here: one.yaml names no arm64 machine',
  ]);
});

describe('a machine that cannot be used', () => {
  const run = (...args: string[]) => project.harness(['run', 'bad', '--suite', 'waits', '--target', 'ssh', ...args]);

  test('the inventory lies about its architecture', async () => {
    const name = await inventory(
      'lie.yaml',
      ({ arch }) => `address: real-${arch === 'amd64' ? 'arm64' : 'amd64'}, arch: ${arch}`,
    );
    expect((await run('--machines', name)).exitCode).toBe(3);
    expect(await failures()).toEqual([
      'amd64/ssh/waits infra: cannot use real-amd64: lie.yaml:3:3 says amd64, and it is arm64',
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
    const other = (await readFile(real('arm64').knownHosts, 'utf8')).replace(/^\S+ /gm, '* ');
    await writeFile(join(project.folder, 'other_hosts'), other);
    const config = machines.map(({ sshConfig, knownHosts }) =>
      sshConfig.replaceAll(knownHosts, join(project.folder, 'other_hosts')),
    );
    await writeFile(join(project.folder, 'changed_config'), `${config.join('\n')}\n`);
    await writeFile(
      join(project.folder, 'changed.yaml'),
      'ssh-config: changed_config\nmachines:\n  real: { address: real-amd64-direct }\n',
    );
    const { stderr } = await run('--machines', 'changed.yaml');
    expect(await failures()).toEqual([
      'amd64/ssh/waits infra: cannot use real: its host key is not the one that is known',
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
  const started = (event: StoredEvent): event is StoredEvent & TestStarted =>
    event.type === 'test.started' && event.name === 'takes long';
  let before: string;

  beforeAll(async () => {
    before = await onMachine(STATE);
  });

  test('two runs do not share a machine, and the second goes on when the first is interrupted', async () => {
    const first = project.start(['run', 'bad', '--suite', 'waits']);
    await project.event(started);
    const beside = await makeProject(files);
    await using _ = beside;
    const second = beside.start([
      'run',
      'bad',
      '--suite',
      'waits',
      '--machines',
      join(project.folder, 'machines.yaml'),
    ]);
    let said = '';
    (second as unknown as { stderr: NodeJS.ReadableStream }).stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await retryUntil(async () => expect(said).toContain('acquire  started'), { deadlineMs: 60_000 });
    first.kill('SIGINT');
    expect((await first).exitCode).toBe(130);
    expect(said).not.toContain('deploy  started');
    await beside.event(started);
    second.kill('SIGINT');
    expect((await second).exitCode).toBe(130);
    expect(await onMachine(STATE)).toBe(before);
  });

  test('a connection that is lost in mid-scenario is no failure of the suite, and the next run puts back what was left', async () => {
    const run = project.start(['run', 'bad', '--suite', 'waits']);
    await project.event(started);
    await onMachine('pkill -KILL -u tester sshd');
    expect((await run).exitCode).toBe(3);
    expect((await failures())[0]).toBe('amd64/ssh/waits infra: the connection to real-amd64 was lost');
    expect(await onMachine(STATE)).not.toBe(before);

    const next = project.start(['run', 'bad', '--suite', 'waits']);
    await project.event(started);
    next.kill('SIGINT');
    await next;
    const { cells } = await project.results();
    expect(cells[0]?.logs.map(({ message }) => message)).toContainEqual(
      'real-amd64 had what another run left: 2 things were put back',
    );
    expect(await onMachine(STATE)).toBe(before);
  });

  test('SIGKILL: gc puts the machine back, and nothing of the run is left here', async () => {
    const run = project.start(['run', 'bad', '--suite', 'waits']);
    await project.event(started);
    run.kill('SIGKILL');
    await run;
    expect(await onMachine(STATE)).not.toBe(before);
    const { stdout } = await project.harness(['gc']);
    expect(stdout).toContain('1 things elsewhere');
    expect(await onMachine(STATE)).toBe(before);
    const left = await leftovers(join(project.folder, '.harness'));
    expect(left).toEqual([]);
  });
});

describe('a machine that commands make', () => {
  const log = () => readFile(join(project.folder, 'cloud.log'), 'utf8');
  const commands = (acquire: string) =>
    writeFile(
      join(project.folder, 'cloud.yaml'),
      `ssh-config: ssh_config
commands:
  cloud:
    arch: [amd64]
    acquire: 'echo "acquire $HARNESS_ARCH for $HARNESS_CELL" >> ${project.folder}/cloud.log; echo ${acquire}'
    release: 'echo "release $HARNESS_ADDRESS" >> ${project.folder}/cloud.log'
`,
    );
  const run = (...args: string[]) =>
    project.start(['run', 'bad', '--suite', 'waits', '--target', 'command', '--machines', 'cloud.yaml', ...args]);

  test('is given back at the end, and by gc when the harness was killed', async () => {
    await commands('ssh://real-amd64-direct');
    const before = await onMachine(STATE);
    const started = async () => {
      const event = (stored: StoredEvent): stored is StoredEvent & TestStarted =>
        stored.type === 'test.started' && stored.cell === 'amd64/command/waits' && stored.name === 'takes long';
      await retryUntil(async () => expect(await log()).toMatch(/acquire amd64 for amd64\/command\/waits\n$/), {
        deadlineMs: 120_000,
      });
      await project.event(event);
    };
    const killed = run();
    await started();
    killed.kill('SIGKILL');
    await killed;
    expect(await onMachine(STATE)).not.toBe(before);
    expect((await project.harness(['gc'])).stdout).toContain('2 things elsewhere');
    expect(await onMachine(STATE)).toBe(before);
    expect(await log()).toBe('acquire amd64 for amd64/command/waits\nrelease ssh://real-amd64-direct\n');
  });

  test('says so when a command does not print an address, and gives back what there may be', async () => {
    await commands('here you are');
    expect((await run()).exitCode).toBe(3);
    expect(await failures()).toEqual([
      'amd64/command/waits infra: cannot make a machine with cloud.yaml:3:3: cannot read the address "here you are": expected ssh://user@host:port',
    ]);
    expect((await log()).endsWith('release \n')).toBe(true);
  });
});
