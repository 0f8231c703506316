import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '../..');
const actionFolder = join(root, '.github/actions/harness');

interface Step {
  readonly id?: string;
  readonly name?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly 'working-directory'?: string;
}

let folder = '';
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'harness-runner-')));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Runs steps of an action as the runner does: inputs by value, files for outputs and the PATH, one bash each. */
async function play(ids: readonly string[], inputs: Readonly<Record<string, string>>, env: Record<string, string>) {
  const action = parse(await readFile(join(actionFolder, 'action.yml'), 'utf8')) as { runs: { steps: Step[] } };
  const value = (text: string) => text.replaceAll(/\$\{\{ inputs\.([\w-]+) \}\}/g, (_, name) => inputs[name] ?? '');
  const files = { GITHUB_OUTPUT: join(folder, 'output'), GITHUB_PATH: join(folder, 'path') };
  const said: string[] = [];
  for (const file of Object.values(files)) await writeFile(file, '', { flag: 'a' });
  for (const id of ids) {
    const step = action.runs.steps.find((one) => one.id === id || one.name === id)!;
    const script = join(folder, 'script.sh');
    await writeFile(script, step.run!);
    const added = (await readFile(files.GITHUB_PATH, 'utf8')).split('\n').filter(Boolean);
    const variables = Object.fromEntries(Object.entries(step.env ?? {}).map(([name, text]) => [name, value(text)]));
    const { all } = await execa('bash', ['--noprofile', '--norc', '-eo', 'pipefail', script], {
      all: true,
      cwd: join(folder, value(step['working-directory'] ?? '.')),
      env: {
        ...files,
        GITHUB_ACTION_PATH: actionFolder,
        RUNNER_TEMP: folder,
        PATH: [...added, process.env['PATH']].join(':'),
        ...variables,
        ...env,
      },
    });
    said.push(all);
  }
  return { output: await readFile(files.GITHUB_OUTPUT, 'utf8'), said: said.join('\n') };
}

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
