import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { nativeArch } from '../harness/arch/index.ts';
import type { StoredEvent, TestStarted } from '../harness/events/types.ts';
import type { Results } from '../reports/results-schema.ts';
import { leftovers, makeProject, matrixYaml, suiteYaml } from './support/project.ts';

const arch = nativeArch()!.name;
const files = {
  'matrices/m.yaml': `arch: [${arch}]\nsuite: [one, two]\ntarget: [local]\nlimits: {scale: 5}\n`,
  'suites/one/suite.yaml': '{}\n',
  'suites/one/a.scenario.ts': `import { expect, test } from 'multiarch-harness';
test('takes a moment', async ({ target }) => { await target.sh('sleep 0.5'); });
test("it's $(odd)", () => { expect(process.env['FIXED']).toBe('1'); });
test('takes another', async ({ target }) => { await target.sh('sleep 0.5'); });
`,
  'suites/two/suite.yaml': '{}\n',
  'suites/two/b.scenario.ts': `import { test } from 'multiarch-harness';
test('is quick', async ({ target }) => { await target.sh('sleep 0.2'); });
`,
};

/** Replaces what differs between runs: times, and console lines with their own. */
const TIMES = ['startedAt', 'durationMs', 'atMs', 'console'];

/** The result of a run, without times. */
const timeless = ({ cells, counts, exitCode, state }: Results) =>
  JSON.parse(
    JSON.stringify({ cells, counts, exitCode, state }, (key, value: unknown) =>
      TIMES.includes(key) ? undefined : value,
    ),
  );

const runOf = async (folder: string) =>
  (
    JSON.parse((await readFile(join(folder, '.harness/runs/latest/events.jsonl'), 'utf8')).split('\n', 1)[0]!) as {
      run: string;
    }
  ).run;

test('a run that is killed at any moment, and again while it goes on, comes to what it would have come to', async () => {
  await using project = await makeProject(files);
  await project.harness(['run', 'm']);
  const expected = timeless(await project.results());
  for (let round = 0; round < 4; round++) {
    const run = project.start(['run', 'm']);
    await project.event((event): event is StoredEvent => event.type === 'run.started' && event.argv[1] === 'm');
    await delay(Math.random() * 4000);
    run.kill('SIGKILL');
    await run;
    const name = await runOf(project.folder);
    const again = project.start(['run', '--resume', name]);
    await delay(1000 + Math.random() * 3000);
    again.kill('SIGKILL');
    await again;
    const { exitCode, stderr } = await project.harness(['run', '--resume', name]);
    expect(await runOf(project.folder)).toBe(name);
    expect(timeless(await project.results()), stderr).toEqual(expected);
    expect(exitCode, stderr).toBe(1);
  }
  expect(await leftovers(project.folder)).toEqual([]);
});

test('so does one with guests, of which nothing is left, and after a reboot of the host', async () => {
  const scenario = (name: string, body: string) =>
    `import { expect, test } from 'multiarch-harness';\ntest('${name}', async ({ target }) => { ${body} });\n`;
  await using project = await makeProject({
    'matrices/m.yaml': matrixYaml(['one', 'two']),
    'suites/one/suite.yaml': suiteYaml(),
    'suites/one/a.scenario.ts': scenario('fails', "await target.sh('sleep 1'); expect(1).toBe(2);"),
    'suites/two/suite.yaml': suiteYaml(),
    'suites/two/b.scenario.ts': scenario('passes', "await target.sh('sleep 1');"),
  });
  // The first run saves the snapshots that the others resume.
  await project.harness(['run', 'm', '--jobs', '1']);
  const begun = performance.now();
  await project.harness(['run', 'm', '--jobs', '1']);
  const tookMs = performance.now() - begun;
  const said = timeless(await project.results());
  for (let round = 0; round < 3; round++) {
    const run = project.start(['run', 'm', '--jobs', '1']);
    await project.event((event): event is StoredEvent => event.type === 'run.started' && event.argv[1] === 'm');
    const killedMs = Math.random() * tookMs;
    await delay(killedMs);
    run.kill('SIGKILL');
    await run;
    const name = await runOf(project.folder);
    if (round === 2) await rebootFor(join(project.env['HARNESS_STATE']!, 'leases', `${name}.jsonl`));
    const { exitCode, stderr } = await project.harness(['run', '--resume', name]);
    const what = `killed after ${Math.round(killedMs)} of ${Math.round(tookMs)} ms: ${stderr}`;
    expect(timeless(await project.results()), what).toEqual(said);
    expect(exitCode, what).toBe(1);
    expect(await leftovers(project.folder), what).toEqual([]);
  }
});

/** Makes a lease look as after a reboot: from an earlier boot, with process numbers that belong to others. */
async function rebootFor(lease: string): Promise<void> {
  const text = await readFile(lease, 'utf8').catch(() => undefined);
  // A run that has ended has no lease.
  if (text === undefined) return;
  const lines = text.split('\n').filter(Boolean);
  const earlier = lines.map((line) =>
    JSON.stringify(JSON.parse(line), (key, value: unknown) =>
      key === 'pid' ? process.pid : key === 'startTime' ? `0${String(value).slice(1)}` : value,
    ),
  );
  await writeFile(lease, earlier.map((line) => `${line}\n`).join(''));
}

test('a run that goes on, or whose files have changed, is not resumed, and what is in the way is named', async () => {
  const long =
    "import { test } from 'multiarch-harness';\ntest('long', ({ target }) => target.sh('sleep 300'), 300_000);\n";
  await using project = await makeProject({ ...files, 'suites/one/a.scenario.ts': long });
  const run = project.start(['run', 'm']);
  await project.event((event): event is TestStarted & StoredEvent => event.type === 'test.started');
  const name = await runOf(project.folder);
  const going = await project.harness(['run', '--resume', name]);
  expect(going).toMatchObject({ exitCode: 2 });
  expect(going.stderr).toContain(`cannot run ${name} again: it is still running`);
  run.kill('SIGKILL');
  await run;
  await writeFile(join(project.folder, 'suites/two/b.scenario.ts'), '// changed\n');
  const changed = await project.harness(['run', '--resume', name]);
  expect(changed).toMatchObject({ exitCode: 2 });
  expect(changed.stderr).toContain(
    `cannot resume ${name}: since it began, suites/two/b.scenario.ts has changed\nnext: Run it anew: harness run matrices/m.yaml`,
  );
});

test('what was not green runs again, and nothing else; the line of a failure does the same', async () => {
  await using project = await makeProject(files);
  await project.harness(['run', 'm']);
  const page = await project.read('summary.md');
  const line = /Run it again: `+ ?(npx harness run .*?) ?`+$/m.exec(page)![1]!;
  expect(line).toBe(
    `npx harness run matrices/m.yaml --file a.scenario.ts --test 'it'\\''s $(odd)' --no-bench --only '${arch}/local/one'`,
  );
  const { exitCode } = await project.harness(['run', '--failed'], { FIXED: '1' });
  const { cells } = await project.results();
  expect(exitCode).toBe(0);
  expect(cells.map(({ name, tests }) => [name, tests.map((one) => one.name)])).toEqual([
    [`${arch}/local/one`, ["it's $(odd)"]],
  ]);
  const nothing = await project.harness(['run', '--failed']);
  expect(nothing).toMatchObject({ exitCode: 0 });
  expect(nothing.stderr).toContain('has nothing red');
});

test('of a run that was killed at any moment, what was not green runs again, and nothing else', async () => {
  await using project = await makeProject(files);
  for (let round = 0; round < 3; round++) {
    const run = project.start(['run', 'm']);
    await project.event((event): event is StoredEvent => event.type === 'run.started' && event.argv[1] === 'm');
    await delay(Math.random() * 4000);
    run.kill('SIGKILL');
    await run;
    const name = await runOf(project.folder);
    const { stdout } = await project.harness(['report', name, '--json']);
    const red = (JSON.parse(stdout) as Results).cells.filter(({ verdict }) => verdict !== 'passed');
    await project.harness(['run', '--failed', name]);
    const { run: another, cells } = await project.results();
    expect(another).not.toBe(name);
    expect(cells.map((cell) => cell.name)).toEqual(red.map((cell) => cell.name));
    // A cell that never ended runs all tests again; a failed one only its failed tests.
    for (const [index, { tests }] of cells.entries()) {
      const { verdict, suite } = red[index]!;
      const all = { one: 3, two: 1 }[suite];
      expect(tests.length, `${suite} was ${verdict}`).toBe(verdict === 'failed' ? 1 : all);
    }
  }
});

test('--pause stops before anything cleans up, and goes on when told', async () => {
  await using project = await makeProject(files);
  const run = project.start(['run', 'm', '--suite', 'one', '--pause', '--pause-minutes', '5']);
  const paused = async (): Promise<number> => (await project.harness(['resume'])).exitCode;
  let exitCode = await paused();
  for (let asked = 0; exitCode !== 0 && asked < 100; asked++) exitCode = await paused();
  expect(exitCode).toBe(0);
  const { stderr } = await run;
  expect(stderr).toContain(`paused  ${arch}/local/one  it's $(odd)`);
  expect(stderr).toContain(`npx harness shell ${arch}/local/one`);
  const { cells } = await project.results();
  expect(cells[0]!.tests.map(({ verdict }) => verdict)).toEqual(['passed', 'failed', 'passed']);
});

test('shell --at enters the machine as a test found it, says what ran before, and leaves nothing', async () => {
  await using project = await makeProject({
    ...files,
    'suites/one/a.scenario.ts': `import { expect, test } from 'multiarch-harness';
test('writes', async ({ target }) => { await target.sh('echo one > /var/lib/trace'); });
test('fails', () => { expect(1).toBe(2); });
test('overwrites', async ({ target }) => { await target.sh('echo two > /var/lib/trace'); });
test('is late', async ({ target }) => { await target.sh('echo three > /var/lib/trace'); });
`,
  });
  const cell = `${arch}/local/one`;
  const at = (test: string) =>
    project.harness(['shell', cell, '--at', test, '--', 'sh', '-c', 'cat /var/lib/trace; exit 7']);
  const found = await at('overwrites');
  expect(found).toMatchObject({ exitCode: 7, stdout: 'one' });
  expect(found.stderr).toContain('a.scenario.ts > overwrites is about to run; before it: 1 passed, 1 failed (fails)');
  expect(await at('late')).toMatchObject({ exitCode: 7, stdout: 'two' });
  const nothing = await at('is early');
  expect(nothing).toMatchObject({ exitCode: 2 });
  expect(nothing.stderr).toContain(`cannot stop at "is early": no test of ${cell} is called so`);
  expect(await leftovers(project.folder)).toEqual([]);
});

test('-t chooses commands by their names, and the line of a failure runs just that command again', async () => {
  await using project = await makeProject({
    'matrices/m.yaml': `arch: [${arch}]\nsuite: [cmd]\ntarget: [local]\nlimits: {scale: 5}\n`,
    'suites/cmd/suite.yaml': `tests:
  - run: echo noise
  - {name: the second, run: 'printf "1..2\\nok 1 - a\\nnot ok 2 - b\\n"; exit 1', results: tap}
  - run: 'false'
`,
  });
  const ran = async () => {
    const { cells } = await project.results();
    return cells[0]!.tests.map(({ file, name, verdict }) => `${file} > ${name} ${verdict}`);
  };
  const whole = await project.harness(['run', 'm']);
  expect(await ran()).toEqual([
    'command > echo noise passed',
    'the second > a passed',
    'the second > b failed',
    'command > false failed',
  ]);
  // Output of other cells is not among its last lines.
  expect(whole.stderr).not.toContain('caused by: noise');
  expect(whole.stderr).toContain(`${arch}/local/cmd  the second  b`);
  expect(await project.harness(['run', 'm', '-t', 'second'])).toMatchObject({ exitCode: 1 });
  expect(await ran()).toEqual(['the second > a passed', 'the second > b failed']);
  const line = /Run it again: `+ ?(npx harness run .*?) ?`+$/m.exec(await project.read('summary.md'))![1]!;
  expect(line).toBe(`npx harness run matrices/m.yaml --test 'the second' --no-bench --only '${arch}/local/cmd'`);
  expect(await project.harness(['run', 'm', '-t', '/^echo /'])).toMatchObject({ exitCode: 0 });
  expect(await project.harness(['run', 'm', '-t', 'not ok'])).toMatchObject({ exitCode: 4 });
  const inside = await project.harness(['shell', `${arch}/local/cmd`, '--at', 'b', '--', 'true']);
  expect(inside).toMatchObject({ exitCode: 2 });
  expect(inside.stderr).toContain('cannot stop at "b": it runs inside of the command "the second"');
  const before = await project.harness(['shell', `${arch}/local/cmd`, '--at', 'the second', '--', 'true']);
  expect(before).toMatchObject({ exitCode: 0 });
  expect(before.stderr).toContain('the second is about to run; before it: 1 passed');
  await project.harness(['run', 'm']);
  await project.harness(['run', '--failed']);
  expect(await ran()).toEqual(['the second > a passed', 'the second > b failed', 'command > false failed']);
});
