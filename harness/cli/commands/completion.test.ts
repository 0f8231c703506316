import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildProgram } from '../program.ts';
import { candidates } from './completion.ts';

const main = join(import.meta.dirname, '../main.ts');
let folder: string;
/** Asked for once each. */
const scripts: Record<string, Promise<string>> = {};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'harness-complete-'));
  for (const place of ['matrices', 'suites/first', 'suites/second', '.harness/runs/20260101-000000-aaaa', 'bin'])
    await mkdir(join(folder, place), { recursive: true });
  await writeFile(join(folder, 'matrices/mine.yaml'), 'arch: [amd64, arm64]\nsuite: [first, second]\n');
  for (const suite of ['first', 'second']) await writeFile(join(folder, 'suites', suite, 'suite.yaml'), '{}\n');
  await writeFile(join(folder, '.harness/runs/20260101-000000-aaaa/events.jsonl'), '');
  const program = join(folder, 'bin/harness');
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
  await chmod(program, 0o755);
});
afterAll(() => rm(folder, { recursive: true }));

/** The offers of a shell when Tab is pressed after some words. */
async function offered(shell: 'bash' | 'zsh' | 'fish', ...words: string[]): Promise<string[]> {
  const env = { PATH: `${join(folder, 'bin')}:${process.env['PATH']}` };
  scripts[shell] ??= execa(process.execPath, [main, 'completion', shell]).then(({ stdout }) => stdout);
  const script = await scripts[shell];
  const quoted = ['harness', ...words].map((word) => `'${word}'`).join(' ');
  const asked = {
    bash: `${script}\nCOMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _harness; printf '%s\\n' "\${COMPREPLY[@]}"`,
    // compadd, _files and compdef are the completion system's: here they only say what they were told.
    zsh: `compdef() { }; compadd() { shift; print -l -- "$@" }; _files() { print FILES }\n${script}\nwords=(${quoted}); CURRENT=$#words; _harness`,
    fish: `${script}\ncomplete -C '${['harness', ...words].join(' ')}'`,
  };
  const { stdout } = await execa(shell, ['-c', asked[shell]], { cwd: folder, env });
  return stdout.split('\n').filter(Boolean);
}

describe.each(['bash', 'zsh', 'fish'] as const)('%s', async (shell) => {
  const there = !(await execa(shell, ['-c', 'true'], { reject: false })).failed;

  // What is offered is the same in each: that every kind of word reaches the program, and comes back whole.
  test.runIf(there).each([
    [
      ['history', ''],
      ['add', 'list', 'page'],
    ],
    [['run', '--no'], ['--no-bench']],
    [['run', 'mine', '--only', 'arm64/vm/s'], ['arm64/vm/second']],
  ])('harness %j offers %j', async (words, expected) => {
    expect((await offered(shell, ...words)).sort()).toEqual(expect.arrayContaining(expected));
  });
});

const harness = buildProgram(() => () => Promise.resolve());

test.each([
  [['comp'], ['compare', 'completion']],
  [['run', 'mi'], ['mine']],
  [['run', 'mine', '--arch', 'amd64,ar'], ['amd64,arm64']],
  [['run', '--arch', 'amd64,a'], ['amd64,arm64']],
  [['run', '--release', 'tr'], ['trixie']],
  [['run', '--release', 'trixie,'], ['trixie,bookworm']],
  [['run', '--report', 'ctrf,al'], ['ctrf,allure']],
  [['run', '--results', 'ju'], ['junit']],
  [['run', '--suite', 'sec'], ['second']],
  [['shell', 'amd64/vm/f'], ['amd64/vm/first']],
  [['open', '2026'], ['20260101-000000-aaaa']],
  [['run', '--resume', '2026'], ['20260101-000000-aaaa']],
  [['explain', 'amd64/vm/first', '--run', '2026'], ['20260101-000000-aaaa']],
  [
    ['export', '--format', 'g'],
    ['github-action-benchmark', 'go'],
  ],
  [['completion', 'z'], ['zsh']],
])('behind harness, %j may become %j', async (words, expected) => {
  const back = process.cwd();
  process.chdir(folder);
  try {
    expect(await candidates(harness, words)).toEqual(expect.arrayContaining(expected));
  } finally {
    process.chdir(back);
  }
});

test('nothing is offered where a file is expected, so that the shell offers files', async () => {
  expect(await offered('bash', 'run', '--durations', '')).toEqual([]);
});

test('a project with a mistake in it still completes commands', async () => {
  await writeFile(join(folder, 'suites/second/suite.yaml'), 'nonsense: {');
  try {
    expect(await offered('bash', 'hist')).toEqual(['history']);
    expect(await offered('bash', 'shell', 'a')).toEqual([]);
  } finally {
    await writeFile(join(folder, 'suites/second/suite.yaml'), '{}\n');
  }
});
