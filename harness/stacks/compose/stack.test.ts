import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { loadSuite } from '../../config/load/load.ts';
import { rejection, tempFiles } from '../../testing/temp-files.ts';
import { composeOf } from './command.ts';
import { compose as deployer } from './deployer.ts';

const image = (tag: string, more = '') => `    - { tag: "${tag}", command: [/bin/true]${more} }\n`;
const suiteYaml = (images: string) => `stack:\n  compose: compose.yaml\n  images:\n${images}`;

async function load(compose: string | undefined, images = image('my-web:1') + image('my-db:1')) {
  await using files = await tempFiles({
    's/suite.yaml': suiteYaml(images),
    ...(compose === undefined ? {} : { 's/compose.yaml': compose }),
  });
  return await loadSuite(join(files.folder, 's'), files.folder);
}

async function problems(compose: string | undefined): Promise<string> {
  await using files = await tempFiles({
    's/suite.yaml': suiteYaml(image('my-web:1') + image('my-db:1')),
    ...(compose === undefined ? {} : { 's/compose.yaml': compose }),
  });
  return await rejection(loadSuite(join(files.folder, 's'), files.folder));
}

test('each service and its image is found, even if YAML merges it in', async () => {
  const suite = await load(
    'x-base: &base { image: my-web:1 }\nservices:\n  web: { image: my-web:1 }\n  db: { image: my-db:1, ports: ["1:1"] }\n  also: { <<: *base, command: x }\n',
  );
  expect(composeOf(suite).services).toEqual({ web: 'my-web:1', db: 'my-db:1', also: 'my-web:1' });
  expect(composeOf(suite).file).toMatch(/\/s\/compose\.yaml$/);
});

test('an image without a tag is the latest', async () => {
  expect(composeOf(await load('services: { web: { image: my-web } }', image('my-web:latest'))).services).toEqual({
    web: 'my-web:latest',
  });
});

test('everything that Compose supports is supported', async () => {
  const many = Array.from({ length: 60 }, (_, index) => `  s${index}: { <<: *two, command: "${index}" }\n`).join('');
  await using files = await tempFiles({
    's/suite.yaml': suiteYaml(image('my-web:1') + image('my-db:1')),
    's/compose.yaml': `x-one: &one { image: "my-web:\${TAG:-1}" }
x-two: &two { <<: *one, restart: "no" }
services:
${many}  docker: { image: "docker.io/library/my-web:1" }
  index: { image: index.docker.io/my-db:1 }
  child: { extends: { service: docker }, environment: { A: "1e3", B: "08", C: "y", D: "$$HOME", E: 2 } }
  other: { extends: { file: other.yaml, service: base }, env_file: [a.env] }
  bound: { image: my-web:1, volumes: ["./conf:/etc/conf:ro", "data:/data", { type: bind, source: ./x, target: /x }] }
  debug: { image: debugger, profiles: [debug] }
volumes: { data: {} }
`,
    's/other.yaml': 'services: { base: { image: "my-db:1", volumes: ["./o:/o"] } }\n',
    's/a.env': 'FROM_FILE=1\n',
  });
  const compose = composeOf(await loadSuite(join(files.folder, 's'), files.folder));
  const { services } = compose;
  expect(Object.keys(services)).toHaveLength(65);
  expect(services).toMatchObject({ s0: 'my-web:1', s59: 'my-web:1', docker: 'my-web:1', child: 'my-web:1' });
  expect(services).toMatchObject({ index: 'my-db:1', other: 'my-db:1', bound: 'my-web:1' });
  expect(services).not.toHaveProperty('debug');
  // What is deployed is resolved, with the paths of the machine, and not a letter of a text is another.
  const model = JSON.parse(compose.content);
  expect(model.services.child.environment).toMatchObject({ A: '1e3', B: '08', C: 'y', D: '$$HOME' });
  expect(model.services.other.environment).toEqual({ FROM_FILE: '1' });
  expect(compose.content).not.toContain(files.folder);
  expect(JSON.stringify(model.services.bound.volumes)).toMatch(/\/srv\/s\/conf.*\/srv\/s\/x/);
});

test('only variables of the suite are used', async () => {
  vi.stubEnv('TAG', 'mine');
  await using files = await tempFiles({
    's/suite.yaml': suiteYaml(image('my-web:1') + image('my-web:7')),
    's/compose.yaml': `services: { web: { image: "my-web:\${TAG:-1}" } }\n`,
  });
  const read = async () => composeOf(await loadSuite(join(files.folder, 's'), files.folder)).services;
  expect(await read()).toEqual({ web: 'my-web:1' });
  await writeFile(join(files.folder, 's/.env'), 'TAG=7\n');
  expect(await read()).toEqual({ web: 'my-web:7' });
  vi.unstubAllEnvs();
});

test('several files are merged as Compose does', async () => {
  await using files = await tempFiles({
    's/suite.yaml': suiteYaml(image('my-web:1') + image('my-db:1')).replace('compose.yaml', '[a.yml, b.yml]'),
    's/a.yml': 'services: { web: { image: nginx }, db: { image: my-db:1 } }\n',
    's/b.yml': 'services: { web: { image: my-web:1 } }\n',
  });
  const compose = composeOf(await loadSuite(join(files.folder, 's'), files.folder));
  expect(compose.services).toEqual({ web: 'my-web:1', db: 'my-db:1' });
});

test('all images that are not built are named at their place', async () => {
  expect(
    await problems(
      'services:\n  web:\n    image: my-wbe:1\n  db:\n    image: mysql:8\n  own:\n    build: .\n  bare: { image: my-web }\n',
    ),
  ).toBe(
    [
      's/compose.yaml:3:12: the service "web" runs the image "my-wbe:1", which stack.images of suite.yaml does not build, expected one of my-web:1, my-db:1; did you mean "my-web:1"?',
      's/compose.yaml:5:12: the service "db" runs the image "mysql:8", which stack.images of suite.yaml does not build, expected one of my-web:1, my-db:1',
      's/compose.yaml:6:3: the service "own" names no image, expected one that stack.images of suite.yaml builds',
      's/compose.yaml:8:18: the service "bare" runs the image "my-web", which stack.images of suite.yaml does not build, expected one of my-web:1, my-db:1; did you mean "my-web:1"?',
    ].join('\n'),
  );
});

test('an invalid file is an error', async () => {
  expect(await problems(undefined)).toBe(
    's/suite.yaml:2:12: stack.compose is "compose.yaml", expected a file in the suite\'s folder: there is no such file',
  );
  // In the words of Compose, which are those of its version.
  for (const text of ['servces: {}\n', 'services: { web: { image: a, ports: 3 } }\n', 'services: [\n', '- a\n'])
    expect(await problems(text), text).toMatch(/^cannot read s\/compose\.yaml: Compose \d\S* refuses it:\n./);
  expect(await problems('services: { a: { image: my-web:1, profiles: [p] } }\n')).toContain('no service is started');
});

test('a file of a similar name is named', async () => {
  await using files = await tempFiles({ 's/suite.yaml': suiteYaml(image('my-web:1')), 's/compose.yml': '' });
  expect(await rejection(loadSuite(join(files.folder, 's'), files.folder))).toContain(
    'there is no such file; did you mean "compose.yml"?',
  );
});

test('an image that is not built for an architecture is named with its service', async () => {
  const suite = await load(
    'services: { web: { image: my-web:1 }, db: { image: my-db:1 } }',
    image('my-web:1') + image('my-db:1', ', arch: [amd64, arm64]'),
  );
  expect(deployer.unsupported?.(suite, 'arm64')).toBeUndefined();
  expect(deployer.unsupported?.(suite, 'ppc64le')).toBe(
    'the service "db" needs the image "my-db:1", which is built for amd64 and arm64 and not for ppc64le: add ppc64le to its `arch:` in stack.images, or leave ppc64le out with `arch:` of the suite',
  );
});
