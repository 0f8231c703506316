import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeProject, suiteYaml, type TestProject } from '../e2e/support/project.ts';
import { architectures, findArch } from '../harness/arch/index.ts';
import { formatDuration } from '../harness/base/text.ts';
import { begun, CAUSES, type Cause, COUNTER, nextIsThird } from './blame-causes.ts';

/**
 * `npm run bench:blame [-- --times 10 --arch ppc64le --control amd64 --only qemu-killed]`: ten causes of a red cell, each
 * injected so many times, and how often the harness names the right one. Prints Markdown; exits with 1 when fewer than
 * 99 of 100 are named rightly, or one passes.
 */
const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '10' },
    arch: { type: 'string', default: 'ppc64le' },
    control: { type: 'string', default: 'amd64' },
    only: { type: 'string', multiple: true, default: [] },
  },
});
const times = Number(values.times);
const arch = findArch(values.arch);
const control = findArch(values.control);
if (!(times >= 1) || !arch || !control || arch === control)
  throw new Error('expected --times N, and two architectures for --arch and --control');
const names = Object.keys(CAUSES).filter((name) => values.only.length === 0 || values.only.includes(name));
const out = (line: string) => process.stdout.write(`${line}\n`);

function filesOf(name: string, { test, suite = '' }: Cause): Record<string, string> {
  return {
    [`suites/${name}/suite.yaml`]: suiteYaml(`timeouts: {test: 3}\n${suite}`),
    [`suites/${name}/a.scenario.ts`]: `import { expect, test } from 'multiarch-harness';
import { readFileSync, writeFileSync } from 'node:fs';
test('is well', async ({ target }) => { expect(await target.sh('echo well')).toBe('well'); });
test('is about this', async ({ target }) => {
  writeFileSync(process.env.BLAME_FOLDER + '/${name}.pid', String(process.pid));
  ${test(architectures[arch!.name].machine)}
});
`,
  };
}

/** Waits until a cell's test of interest runs, and does to it what its cause is. */
async function injected(project: TestProject, name: string, harness: number, time: number): Promise<void> {
  const { inject } = CAUSES[name]!;
  if (!inject) return;
  const cell = `${arch!.name}/vm/${name}`;
  // It may wait for the machines of all others.
  await project.event(begun(cell, 'is about this'), 60 * 60_000);
  await inject({ project, cell, harness, time });
}

interface Said {
  readonly named: boolean;
  readonly passed: boolean;
  readonly words: string;
}

/** All causes once, in one run. */
async function once(project: TestProject, folder: string, time: number): Promise<Map<string, Said>> {
  await nextIsThird(folder);
  // What is waited for is an event of this round.
  await rm(join(project.folder, '.harness', 'runs'), { recursive: true, force: true });
  const env = { BLAME_FOLDER: folder, BLAME_COUNTER: join(folder, COUNTER) };
  const run = project.start(['run', 'blame', '--no-bench', '--jobs', '2'], env);
  await Promise.all(
    names.map((name) =>
      injected(project, name, run.pid!, time).catch((error: unknown) => out(`could not inject ${name}: ${error}`)),
    ),
  );
  await run;
  const { cells } = await project.results();
  return new Map(
    names.map((name): [string, Said] => {
      const cell = cells.find(({ suite }) => suite === name)!;
      const test = cell.tests.find((one) => one.name === 'is about this');
      const words = `${cell.verdict}: ${cell.reason ?? ''}${test?.control ? `, ${test.control}` : ''}`;
      const passed = cell.verdict === 'passed' || cell.verdict === 'flaky' || cell.verdict === 'skipped';
      return [name, { named: CAUSES[name]!.isNamed(cell), passed, words }];
    }),
  );
}

const folder = await mkdtemp(join(tmpdir(), 'harness-blame-'));
process.env['BLAME_FOLDER'] = folder;
const started = performance.now();
let exitCode = 1;
try {
  const files = Object.assign({}, ...names.map((name) => filesOf(name, CAUSES[name]!)));
  // What is to be named is what happened once: a second machine would hide it.
  const matrix = `arch: [${arch.name}]\ncontrol: ${control.name}\nsuite: [${names.join(', ')}]\nretries: {infra: 0, emulator: 0}\n`;
  await using project = await makeProject({ ...files, 'matrices/blame.yaml': matrix });
  const said = new Map<string, Said[]>(names.map((name) => [name, []]));
  for (let time = 0; time < times; time++)
    for (const [name, one] of await once(project, folder, time)) {
      said.get(name)!.push(one);
      if (!one.named) out(`round ${time + 1}: ${name} was called ${one.words}`);
    }
  out(`\n${arch.name} guests, control ${control.name}, ${formatDuration(performance.now() - started)}\n`);
  out('| cause | named rightly | passed |\n|---|---:|---:|');
  const count = (of: readonly Said[], what: 'named' | 'passed') => of.filter((one) => one[what]).length;
  for (const [name, of] of said)
    out(`| ${CAUSES[name]!.what} | ${count(of, 'named')} of ${of.length} | ${count(of, 'passed')} |`);
  const all = [...said.values()].flat();
  out(`| **all** | **${count(all, 'named')} of ${all.length}** | **${count(all, 'passed')}** |`);
  exitCode = count(all, 'named') >= 0.99 * all.length && count(all, 'passed') === 0 ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exitCode = exitCode;
