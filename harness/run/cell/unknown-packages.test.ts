import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { architectures } from '../../arch/index.ts';
import { loadSuite } from '../../config/load/suite.ts';
import { UnknownPackagesError } from '../../images/apt.ts';
import { placedIn } from './unknown-packages.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'harness-packages-'));
  await writeFile(
    join(folder, 'suite.yaml'),
    `needs: [docker]
stack:
  packages: [docker.io,
    ngnix]
  images:
    - { tag: "a:1", packages: [redis-sever], command: [/a] }
`,
  );
});
afterAll(() => rm(folder, { recursive: true }));

const unknown = (...names: string[]) =>
  new UnknownPackagesError(names, {
    arch: architectures.arm64,
    release: 'bookworm',
    known: ['nginx', 'redis-server', 'redis-tools'],
    cause: undefined,
  });

test('a misspelt package is named at its place in suite.yaml, with what was probably meant', async () => {
  const suite = await loadSuite(folder, folder);
  const error = await placedIn(suite, unknown('redis-sever', 'ngnix'), folder);
  expect(error.name).toBe('ConfigError');
  expect(error.message).toBe(
    `suite.yaml:4:5: unknown package "ngnix": Debian bookworm has none of that name for arm64; did you mean "nginx"?
suite.yaml:6:32: unknown package "redis-sever": Debian bookworm has none of that name for arm64; did you mean "redis-server"?`,
  );
  expect(error.hint).toContain('leave arm64 out with `arch:`');
});

test('a package that the suite does not name itself has no place', async () => {
  const suite = await loadSuite(folder, folder);
  const error = await placedIn({ ...suite, folder: '/nowhere' }, unknown('ngnix'), folder);
  expect(error.message).toBe(
    'cannot resolve packages for arm64: Debian bookworm has no package "ngnix" for arm64; did you mean "nginx"?',
  );
});
