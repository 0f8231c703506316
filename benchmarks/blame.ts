import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { makeProject, suiteYaml, type TestProject } from '../e2e/support/project.ts';
import { architectures, findArch } from '../harness/arch/index.ts';
import { formatDuration } from '../harness/base/text.ts';
import { begun, CAUSES, type Cause, COUNTER, nextIsThird } from './blame-causes.ts';
import { leftOf, noteRounds, type Round, readRounds } from './blame-rounds.ts';

/**
 * `npm run bench:blame [-- --rounds 10 --arch ppc64le --control amd64 --causes panic,qemu-killed --file FILE]`: ten
 * causes of a red cell, each injected once per round, and how often the harness names the right one. Finished rounds
 * are kept in a file, and a later start continues from there; `--again` starts over. Prints Markdown; exits with 1
 * when fewer than 99 of 100 verdicts are right, or a broken cell is green.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    arch: { type: 'string', default: 'ppc64le' },
    control: { type: 'string', default: 'amd64' },
    causes: { type: 'string', default: Object.keys(CAUSES).join(',') },
    file: { type: 'string', default: '.harness/bench-blame.jsonl' },
    again: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '2' },
  },
});
const rounds = Number(values.rounds);
const arch = findArch(values.arch);
const control = findArch(values.control);
if (!(rounds >= 1) || !arch || !control || arch === control)
  throw new Error('expected --rounds N, and two architectures for --arch and --control');
const names = values.causes.split(',');
const unknown = names.find((name) => !(name in CAUSES));
if (unknown !== undefined)
  throw new Error(`unknown cause ${unknown}, expected some of ${Object.keys(CAUSES).join(', ')}`);
const file = resolve(values.file);
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

const cellOf = (name: string) => `${arch.name}/vm/${name}`;

/** Waits until a cell's test runs, and injects its cause. */
async function injected(project: TestProject, name: string, harness: number, time: number): Promise<void> {
  const { inject } = CAUSES[name]!;
  if (!inject) return;
  const cell = cellOf(name);
  // The cell may have to wait for the machines of all others.
  await project.event(begun(cell, 'is about this'), 60 * 60_000);
  await inject({ project, cell, harness, time });
}

/** Injects some causes once each, in one run. */
async function once(project: TestProject, folder: string, causes: readonly string[], time: number): Promise<Round[]> {
  await nextIsThird(folder);
  // Only events of this round count.
  await rm(join(project.folder, '.harness', 'runs'), { recursive: true, force: true });
  const env = { BLAME_FOLDER: folder, BLAME_COUNTER: join(folder, COUNTER) };
  const only = causes.flatMap((name) => ['--only', cellOf(name)]);
  const run = project.start(['run', 'blame', '--no-bench', '--jobs', values.jobs, ...only], env);
  await Promise.all(
    causes.map((name) =>
      injected(project, name, run.pid!, time).catch((error: unknown) => out(`could not inject ${name}: ${error}`)),
    ),
  );
  const { stderr } = await run;
  const { cells } = await project.results();
  return causes.map((name): Round => {
    const cell = cells.find(({ suite }) => suite === name);
    if (!cell) throw new Error(`the run has no cell of ${name}: ${stderr}`);
    const test = cell.tests.find((one) => one.name === 'is about this');
    const tries = test?.controlTries ?? [];
    return {
      ...{ arch: arch!.name, control: control!.name, cause: name, round: time, commit },
      named: CAUSES[name]!.isNamed(cell),
      passed: cell.verdict === 'passed' || cell.verdict === 'flaky' || cell.verdict === 'skipped',
      words: `${cell.verdict}: ${cell.reason ?? ''}${test?.control ? `, ${test.control}` : ''}`,
      durationMs: [...cell.steps, ...tries].reduce((sum, { durationMs }) => sum + durationMs, 0),
    };
  });
}

/** Prints the table of verdicts. @returns whether they are good enough. */
function conclude(said: readonly Round[]): boolean {
  const count = (of: readonly Round[], what: 'named' | 'passed') => of.filter((one) => one[what]).length;
  const row = (what: string, of: readonly Round[]) => {
    const middle = of.map(({ durationMs }) => durationMs).sort((a, b) => a - b)[Math.floor(of.length / 2)] ?? 0;
    out(`| ${what} | ${count(of, 'named')} of ${of.length} | ${count(of, 'passed')} | ${formatDuration(middle)} |`);
  };
  out(`\n${arch!.name} guests, control ${control!.name}\n`);
  out('| cause | named rightly | passed | took, median |\n|---|---:|---:|---:|');
  for (const name of names)
    row(
      CAUSES[name]!.what,
      said.filter(({ cause }) => cause === name),
    );
  row('all', said);
  const commits = new Set(said.map((one) => one.commit));
  if (commits.size > 1)
    out(`\nRounds of several commits: ${[...commits].join(', ')}; \`--again\` does all of them anew.`);
  return count(said, 'named') >= 0.99 * said.length && count(said, 'passed') === 0;
}

const ours = ({ arch: its, control: other, cause, round }: Round) =>
  its === arch.name && other === control.name && names.includes(cause) && round < rounds;
const { stdout: commit } = await execa('git', ['rev-parse', '--short', 'HEAD'], { reject: false, stdin: 'ignore' });
if (values.again) await rm(file, { force: true });
const done = (await readRounds(file)).filter(ours);
const folder = await mkdtemp(join(tmpdir(), 'harness-blame-'));
process.env['BLAME_FOLDER'] = folder;
try {
  const files = Object.assign({}, ...names.map((name) => filesOf(name, CAUSES[name]!)));
  // The cause happens only once: a retry on a second machine would hide it.
  const matrix = `arch: [${arch.name}]\ncontrol: ${control.name}\nsuite: [${names.join(', ')}]\nretries: {infra: 0, emulator: 0}\n`;
  await using project = await makeProject({ ...files, 'matrices/blame.yaml': matrix });
  for (const [time, causes] of leftOf(names, rounds, done)) {
    if (causes.length === 0) continue;
    const begunAt = performance.now();
    const said = await once(project, folder, causes, time);
    await noteRounds(file, said);
    done.push(...said);
    const took = formatDuration(performance.now() - begunAt);
    out(`round ${time + 1}: ${said.filter((one) => one.named).length} of ${said.length} in ${took}`);
    for (const { cause, named, words } of said) if (!named) out(`round ${time + 1}: ${cause} was called ${words}`);
  }
  process.exitCode = conclude(done) ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
