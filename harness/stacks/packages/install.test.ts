import { describe, expect, test } from 'vitest';
import { runInMemory } from '../../testing/memory-run.ts';

type Said = { readonly exitCode?: number; readonly stdout?: string; readonly stderr?: string };

/** A machine with a system of its own that answers by the first words of a command; what is not here works. */
async function installed(stack: object, answers: Readonly<Record<string, Said | readonly Said[]>> = {}) {
  const asked: string[] = [];
  const turns = new Map<string, number>();
  const answer = (argv: readonly string[]): Said => {
    const line = argv.filter((word) => !word.includes('\n')).join(' ');
    asked.push(line);
    const key = Object.keys(answers).find((one) => line.includes(one));
    if (key === undefined) return {};
    const said = [answers[key]!].flat() as Said[];
    const turn = turns.get(key) ?? 0;
    turns.set(key, turn + 1);
    return said[Math.min(turn, said.length - 1)]!;
  };
  const run = await runInMemory({ suites: { s: { stack } }, machines: { answers: { '*': answer } } });
  return { run, asked, deploy: run.cell.steps.find(({ step }) => step === 'deploy') };
}

describe('packages', () => {
  test('that are installed are not installed again', async () => {
    const { run, asked } = await installed(
      { packages: ['nginx', 'redis'] },
      { 'dpkg-query': { exitCode: 1, stdout: 'ii nginx\n' } },
    );
    await using _ = run;
    expect(run.cell.verdict).toBe('passed');
    const installs = asked.filter((line) => line.includes('apt-get'));
    expect(installs).toHaveLength(1);
    expect(installs[0]).toMatch(/ install .* redis$/);
  });

  test('that the lists do not have yet are looked up once more', async () => {
    const { run, asked } = await installed(
      { packages: ['nginx'] },
      { ' install ': [{ exitCode: 100, stderr: 'E: Unable to locate package nginx' }, {}] },
    );
    await using _ = run;
    expect(run.cell.verdict).toBe('passed');
    expect(asked.filter((line) => line.includes('apt-get')).map((line) => / (install|update)/.exec(line)?.[1])).toEqual(
      ['install', 'update', 'install'],
    );
  });

  test.each([
    ['E: Unable to locate package nginx', 'failed', 'cannot install nginx: it exited with 100'],
    ['E: No space left on device', 'infra', "cannot install nginx: the machine's disk is full"],
  ])('that cannot be installed: %s', async (stderr, verdict, reason) => {
    const { run } = await installed({ packages: ['nginx'] }, { ' install ': { exitCode: 100, stderr } });
    await using _ = run;
    expect(run.cell).toMatchObject({ verdict, reason });
  });

  test('cannot be installed without dpkg', async () => {
    const { run } = await installed(
      { packages: ['nginx'] },
      { 'dpkg-query': { exitCode: 127, stderr: 'dpkg-query: not found' } },
    );
    await using _ = run;
    expect(run.cell.reason).toBe(
      "cannot install the stack's packages: the machine has no dpkg (dpkg-query: not found)",
    );
  });
});

test('services are started, and one that does not start says what its journal has', async () => {
  const { run, deploy } = await installed(
    { services: ['web'] },
    {
      'systemctl start web': { exitCode: 1, stderr: 'Job for web failed.' },
      journalctl: { stdout: 'bind: address in use\n' },
    },
  );
  await using _ = run;
  expect(run.cell).toMatchObject({ verdict: 'failed', reason: 'cannot start web: Job for web failed.' });
  expect(deploy?.error?.causes).toEqual(['bind: address in use']);
});

test('units that are not to start by themselves are disabled, after the files are there and before services are started', async () => {
  const { run, asked } = await installed({
    files: [
      { path: '/etc/a', content: 'a', owner: 'daemon', mode: '0640' },
      { path: '/var/spool/b', folder: true },
    ],
    build: ['make-schemas'],
    services: { enabled: ['web'], disabled: ['job'] },
  });
  await using _ = run;
  expect(run.cell.verdict).toBe('passed');
  const order = ['make-schemas', 'systemctl disable --quiet --now job', 'start web', 'systemctl start web'];
  expect(asked.filter((line) => order.some((one) => line.endsWith(one)))).toHaveLength(order.length);
  expect(order.map((one) => asked.findIndex((line) => line.endsWith(one)))).toEqual(
    order.map((one) => asked.findIndex((line) => line.endsWith(one))).toSorted((a, b) => a - b),
  );
});
