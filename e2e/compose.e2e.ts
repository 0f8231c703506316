import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StoredEvent, TestStarted } from '../harness/events/types.ts';
import type { Results } from '../reports/results-schema.ts';
import { leftovers, makeProject, type TestProject } from './support/project.ts';
import { type StandIn, standIns, WITH_ENGINE, writeInventory } from './support/stand-in.ts';

const suiteYaml = (image = '') => `machine: {vcpus: 1, memory: 768, disk: 3072}
stack:
  packages: [docker.io, iptables]
  services: [docker]
  images: [{tag: "tool:1", packages: [busybox-static], command: [/bin/busybox, sleep, "3600"]${image}}]
  compose: compose.yaml
timeouts: {boot: 30, command: 20, compose: 30, test: 30}
`;

const well = `services:
  well:
    image: tool:1
    command: [/bin/busybox, sh, -c, "echo I am well; exec busybox sleep 3600"]
    stop_grace_period: 0s
`;

/** An existing Compose file, from which `init` writes the suite `stack`. */
const web = `services:
  front: { image: "nginx:1.25", ports: ["8080:80"] }
  back: { image: "memcached:1.6" }
`;

const page = `import { expect, test } from 'multiarch-harness';
test('nginx serves its page', async ({ stack }) => {
  expect(await (await fetch(stack.url('p8080'))).text()).toContain('Welcome to nginx!');
});
`;

const files = {
  'web.yaml': web,
  'matrices/m.yaml': 'arch: [amd64]\nsuite: [sick, engine, lacks, stack]\nretries: {infra: 0}\n',
  // One service becomes healthy, the other never does.
  'suites/sick/suite.yaml': suiteYaml(),
  'suites/sick/compose.yaml': `${well}  sick:
    image: tool:1
    command: [/bin/busybox, sh, -c, "printf 'I feel \\\\033[31mill\\\\n'; exec busybox sleep 3600"]
    healthcheck: {test: [CMD, /bin/busybox, sh, -c, "echo 39 degrees; exit 1"], interval: 1s, timeout: 60s, retries: 1}
`,
  'suites/sick/a.scenario.ts': `import { test } from 'multiarch-harness';\ntest('is not reached', () => {});\n`,
  'suites/engine/suite.yaml': suiteYaml(),
  'suites/engine/compose.yaml': well,
  'suites/engine/a.scenario.ts': `import { expect, test } from 'multiarch-harness';
test('services are there', async ({ target, stack }) => {
  expect(await stack.compose(['ps', '--quiet'])).toMatch(/^[0-9a-f]{64}$/);
  expect(await target.sh('docker ps --format {{.Names}}')).toMatch(/^engine[_-]well[_-]1$/);
  await expect(stack.compose(['exec', '-T', 'nobody', 'true'])).rejects.toThrow('nobody');
});
test('loses its engine', async ({ target }) => {
  await target.sh('systemctl stop docker.socket docker.service');
  await target.sh('docker ps');
});
`,
  'suites/lacks/suite.yaml': suiteYaml(', arch: [arm64, ppc64le]'),
  'suites/lacks/compose.yaml': well,
  'suites/lacks/a.scenario.ts': `import { test } from 'multiarch-harness';\ntest('is not reached', () => {});\n`,
};

let project: TestProject;
let results: Results;
beforeAll(async () => {
  project = await makeProject(files);
  const written = await project.harness(['init', '--compose', 'web.yaml']);
  expect(written.exitCode, written.stderr).toBe(0);
  await writeFile(join(project.folder, 'suites/stack/page.scenario.ts'), page);
  const { exitCode, stderr } = await project.harness(['run', 'm', '--no-bench', '--cold']);
  expect(exitCode, stderr).toBe(1);
  results = await project.results();
});
afterAll(() => project[Symbol.asyncDispose]());

const cell = (suite: string) => results.cells.find((one) => one.suite === suite)!;
const stepError = (suite: string) => cell(suite).steps.find((step) => step.error)?.error;

test('a service that is not healthy fails the deployment, with what its check said and all logs', async () => {
  expect(cell('sick')).toMatchObject({ verdict: 'failed' });
  const error = stepError('sick');
  expect(error?.message).toBe('cannot deploy compose.yaml: the service "sick" is unhealthy');
  expect(error?.causes?.join('\n')).toContain('sick: 39 degrees');
  expect(error?.hint).toContain('timeouts.compose');
  const place = 'cells/amd64/vm/sick';
  expect(cell('sick').artifacts).toEqual(
    expect.arrayContaining([`${place}/service-sick.txt`, `${place}/service-well.txt`]),
  );
  expect(await project.read(`${place}/service-well.txt`)).toContain('I am well');
  // A container's output never reaches a terminal unescaped.
  const said = await project.read(`${place}/service-sick.txt`);
  expect(said).toContain('I feel ill');
  expect(said).not.toContain('\u001b');
});

test('a suite that init wrote from a Compose file passes as it is', () => {
  const { verdict, tests } = cell('stack');
  expect(verdict, JSON.stringify(cell('stack').steps)).toBe('passed');
  expect(tests.map(({ name }) => name).sort()).toEqual([
    'nginx serves its page',
    'the service back is up',
    'the service front is up',
  ]);
});

test('an engine that stops in mid-run is the fault of the machine, and what services said is kept', async () => {
  expect(cell('engine').verdict).toBe('infra');
  expect(cell('engine').tests.map(({ verdict }) => verdict)).toEqual(['passed', 'failed']);
  expect(stepError('engine')?.message).toBe(
    'cannot go on with the stack: the Docker engine of the machine is gone: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
  );
  expect(cell('engine').artifacts).toContain('cells/amd64/vm/engine/services.txt');
  const said = await project.read('cells/amd64/vm/engine/services.txt');
  expect(said).toContain('"com.docker.compose.service":"well"');
  expect(said).toContain('I am well');
});

test('an image that is not built for the architecture is named before anything starts', () => {
  expect(cell('lacks')).toMatchObject({
    verdict: 'unsupported',
    reason:
      'the service "well" needs the image "tool:1", which is built for arm64 and ppc64le and not for amd64: add amd64 to its `arch:` in stack.images, or leave amd64 out with `arch:` of the suite',
    steps: [],
  });
});

test('nothing of the run is left', async () => {
  expect(await leftovers(project.folder)).toEqual([]);
});

describe('on a machine that was there before', () => {
  test('of a run that was killed gc removes the services, with what they keep, and leaves the images', async () => {
    await using own = await makeProject({
      'matrices/stays.yaml': 'arch: [amd64]\ntarget: [ssh]\nsuite: [stays]\nlimits: {scale: 10}\n',
      'suites/stays/suite.yaml': suiteYaml(),
      'suites/stays/compose.yaml': `${well}    volumes: [kept:/kept]\nvolumes: {kept: {}}\n`,
      'suites/stays/a.scenario.ts': `import { test } from 'multiarch-harness';
test('takes long', async ({ target }) => { await target.sh('sleep 1000', { seconds: 100 }); });
`,
    });
    const [machine] = (await standIns(own, ['amd64'], WITH_ENGINE)) as [StandIn];
    await using _machine = machine;
    const onMachine = async (command: string) =>
      (await machine.target.exec(['sh', '-c', command], { deadlineMs: 120_000 })).stdout.trim();
    const held = async () => {
      const list = 'docker ps --all --quiet; docker volume ls --quiet; docker network ls --quiet --filter type=custom';
      return (await onMachine(`systemctl start docker && { ${list}; }`)).split('\n').filter((line) => line !== '');
    };
    expect(await held()).toEqual([]);
    await onMachine(
      `printf '#!/bin/sh\necho "$*" >> /root/docker.log\nexec /usr/bin/docker "$@"\n' > /usr/local/bin/docker && chmod +x /usr/local/bin/docker`,
    );
    const machines = await writeInventory(own, [machine]);
    const killed = own.start(['run', 'stays', '--machines', machines]);
    await own.event((event): event is StoredEvent & TestStarted => event.type === 'test.started');
    killed.kill('SIGKILL');
    await killed;
    expect(await held()).toHaveLength(3);
    expect((await own.harness(['gc'])).stdout).toContain('1 resource elsewhere');
    expect(await held()).toEqual([]);

    // The image remains and is not sent again.
    await writeFile(
      join(own.folder, 'suites/stays/a.scenario.ts'),
      `import { expect, test } from 'multiarch-harness';
test('its image is there', async ({ target }) => expect(await target.sh('docker ps --format {{.Image}}')).toBe('tool:1'));
`,
    );
    const again = await own.harness(['run', 'stays', '--machines', machines]);
    expect(again.exitCode, again.stderr).toBe(0);
    expect(await onMachine('grep -c ^load /root/docker.log')).toBe('1');
    expect(await held()).toEqual([]);
  });
});
