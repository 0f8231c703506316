import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { parse } from 'yaml';

const actions = join(import.meta.dirname, '../../.github/actions');

interface Step {
  readonly id?: string;
  readonly name?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly 'working-directory'?: string;
}

/**
 * Runs steps of an action as GitHub's runner does: inputs by value, files for outputs and the PATH, one bash per step.
 * @param folder the runner's workspace.
 * @param ids of steps, or their names.
 * @param name of the action.
 */
export async function playAction(
  folder: string,
  ids: readonly string[],
  inputs: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>>,
  name: 'harness' | 'images' = 'harness',
): Promise<{ output: string; said: string }> {
  const actionFolder = join(actions, name);
  const action = parse(await readFile(join(actionFolder, 'action.yml'), 'utf8')) as { runs: { steps: Step[] } };
  const value = (text: string) => text.replaceAll(/\$\{\{ inputs\.([\w-]+) \}\}/g, (_, input) => inputs[input] ?? '');
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
