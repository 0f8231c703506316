import { join } from 'node:path';
import { expect, test } from 'vitest';
import { missingImage } from './compose.ts';
import { loadSuite } from './load.ts';
import { rejection, tempFiles } from './temp-files.ts';

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

test('each service and its image is known, also where YAML merges it in', async () => {
  const { compose } = await load(
    'x-base: &base { image: my-web:1 }\nservices:\n  web: { image: my-web:1 }\n  db: { image: my-db:1, ports: ["1:1"] }\n  also: { <<: *base, command: x }\n',
  );
  expect(compose?.services).toEqual({ web: 'my-web:1', db: 'my-db:1', also: 'my-web:1' });
  expect(compose?.file).toMatch(/\/s\/compose\.yaml$/);
});

test('an image without a tag is the latest', async () => {
  expect((await load('services: { web: { image: my-web } }', image('my-web:latest'))).compose?.services).toEqual({
    web: 'my-web:latest',
  });
});

test('images that nobody builds are named at their place, all of them', async () => {
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

test('a file that is none', async () => {
  expect(await problems(undefined)).toBe(
    's/suite.yaml:2:12: stack.compose is "compose.yaml", expected a file in the suite\'s folder: there is no such file',
  );
  expect(await problems('services: {}\n')).toBe('s/compose.yaml:1:11: services: expected at least one service');
  expect(await problems('version: "3"\n')).toMatch(/^s\/compose\.yaml:1:1: .*services/);
});

test('an image that is not built for an architecture is named with its service', async () => {
  const suite = await load(
    'services: { web: { image: my-web:1 }, db: { image: my-db:1 } }',
    image('my-web:1') + image('my-db:1', ', arch: [amd64, arm64]'),
  );
  expect(missingImage(suite, 'arm64')).toBeUndefined();
  expect(missingImage(suite, 'ppc64le')).toBe(
    'the service "db" needs the image "my-db:1", which is built for amd64 and arm64 and not for ppc64le: add ppc64le to its `arch:` in stack.images, or leave ppc64le out with `arch:` of the suite',
  );
});
