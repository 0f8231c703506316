import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { playAction } from '../../e2e/support/play-action.ts';

let folder = '';
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'harness-runner-')));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const play = (ids: readonly string[], inputs: Record<string, string>, env: Record<string, string>) =>
  playAction(folder, ids, inputs, env);

test('a repository that knows nothing of npm: the action brings the command, and runs in the folder that is named', async () => {
  const project = join(folder, 'tests/emulated');
  await mkdir(join(project, 'matrices'), { recursive: true });
  await mkdir(join(project, 'suites/own'), { recursive: true });
  await writeFile(join(project, 'matrices/own.yaml'), 'arch: [amd64]\ntarget: [local]\nsuite: [own]\n');
  await writeFile(join(project, 'suites/own/suite.yaml'), 'description: Its own.\n');
  await writeFile(
    join(project, 'suites/own/own.scenario.ts'),
    "import { expect, test } from 'multiarch-harness';\ntest('is there', () => expect(1).toBe(1));\n",
  );
  // The packages of the system are another step's matter, and this machine's.
  const env = { HARNESS_NO_SYSTEM_PACKAGES: '1', HARNESS_CACHE: join(folder, 'cache') };
  const inputs = {
    matrix: 'own',
    args: '--only amd64/local/nothing',
    part: 'true',
    'working-directory': 'tests/emulated',
  };
  const { output, said } = await play(['The harness', 'run'], inputs, env);
  // No such cell: the command line ran, and read this project's matrix.
  expect(said).toContain('amd64/local/nothing');
  expect(said).toContain('amd64/local/own');
  expect(output).toBe('exit-code=2\n');
});

test('images are pinned where they can be put into the cache, and otherwise there is a warning and no error', async () => {
  await mkdir(join(folder, 'matrices'));
  await mkdir(join(folder, 'suites/own'), { recursive: true });
  // A matrix of machines that need no image: nothing is built.
  await writeFile(join(folder, 'matrices/own.yaml'), 'arch: [amd64]\ntarget: [local]\nsuite: [own]\n');
  await writeFile(join(folder, 'suites/own/suite.yaml'), 'description: Its own.\n');
  const env = { HARNESS_NO_SYSTEM_PACKAGES: '1', HARNESS_CACHE: join(folder, 'cache') };
  const build = (cache: string, ids: readonly string[]) =>
    playAction(folder, ids, { matrix: 'own', 'remote-cache': cache }, env, 'images');
  const failed = await build('oci://no such place', ['The harness', 'images']);
  expect(failed.output).toBe('');
  expect(failed.said).toContain('cannot use the cache');
  expect(failed.said).toMatch(/^::warning title=No images are pinned::/m);
  const { output, said } = await build(`file://${folder}/remote`, ['images']);
  expect([output, said]).toEqual(['images=images\n', expect.not.stringContaining('::warning')]);
  const { images } = JSON.parse(await readFile(join(folder, 'images.json'), 'utf8')) as { images: { suite: string }[] };
  expect(images.map(({ suite }) => suite)).toEqual(['own']);
});

test('the key of the cache changes with what is in it, and only then', async () => {
  const env = { HARNESS_CACHE: join(folder, 'cache') };
  const key = async () => {
    await rm(join(folder, 'output'), { force: true });
    return (await play(['contents'], { 'cache-key': 'harness-arm64' }, env)).output;
  };
  expect(await key()).toBe('key=\n');
  await mkdir(join(folder, 'cache/images/disk-1'), { recursive: true });
  const one = await key();
  expect(one).toMatch(/^key=harness-arm64-[0-9a-f]{16}\n$/);
  await mkdir(join(folder, 'cache/images/disk-2.partial'));
  await mkdir(join(folder, 'cache/vitest'));
  expect(await key()).toBe(one);
  await mkdir(join(folder, 'cache/images/snapshot-1'));
  expect(await key()).not.toBe(one);
});
