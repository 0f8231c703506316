import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { tempFiles } from '../../testing/temp-files.ts';
import { rowsIn } from './queue.ts';
import { jobScript, rowWord, submitText } from './submit.ts';

const ask = { constraint: 'HarnessArch == "arm64"', cpus: 2, memoryMiB: 900, exclusive: false, minutes: 60 };

test('a row runs its command line with every word as it was given, and knows its node; only it prints', async () => {
  await using files = await tempFiles({ ad: 'MyType = "Machine"\nName = "slot1_2@n2@host"\n' });
  const words = ["it's", 'two words', '$HOME', 'a\nb', '', '"x"', '*'];
  const row = rowWord(['sh', '-c', 'printf "%s\\0" "$@" "$HARNESS_NODE"', 'sh', ...words]);
  expect(row).toMatch(/^[\w+/=]+$/);
  const script = join(files.folder, 'job.sh');
  await writeFile(script, jobScript({ setup: 'echo loaded; export GREETING=hello' }));
  const env = { _CONDOR_MACHINE_AD: join(files.folder, 'ad'), HOME: '/nowhere' };
  const { stdout, stderr } = await execa('sh', [script, row], { env, cwd: files.folder });
  expect(stdout.split('\0')).toEqual([...words, 'n2@host', '']);
  expect(stderr).toBe('loaded');
});

test('a job asks for what its class asks for, starts each row once, and says what goes where', () => {
  const moved = {
    inputs: ['/shared/runs/r/worker.sh', '/shared/trees/k.tar'],
    outputs: [{ from: 'part/1', to: '/shared/runs/r/parts/a b/1' }],
    printed: 'events.jsonl',
  };
  const job = { token: 'r-0', ask, rows: [['true']], folder: '/shared/runs/r/jobs/0', moved };
  const lines = submitText(job, { leaseSeconds: 60 }).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'My.HarnessToken = "r-0"',
      'transfer_input_files = /shared/runs/r/jobs/0/job.sh, /shared/runs/r/worker.sh, /shared/trees/k.tar',
      'request_cpus = 2',
      'job_lease_duration = 60',
      'request_memory = 900M',
      'requirements = TARGET.Arch =!= undefined && TARGET.OpSys == "LINUX" && (HarnessArch == "arm64") && !((NumShadowStarts ?: 0) > 0)',
      `${rowWord(['true'])} part/1 /shared/runs/r/parts/a b/1`,
    ]),
  );
  expect(submitText({ ...job, ask: { ...ask, exclusive: true } }, { leaseSeconds: 60 })).toContain(
    'TARGET.Cpus == TARGET.TotalSlotCpus',
  );
});

test('what waits, what runs, what is ending, what is held, and what would start a second time', () => {
  const none = ['undefined', 'undefined', 'undefined'];
  const listed = [
    ['r-0', '0', '1', ...none],
    ['r-0', '1', '2', '1', 'undefined', 'undefined'],
    ['r-0', '2', '3', '1', 'undefined', 'undefined'],
    ['r-0', '3', '6', '1', 'undefined', 'undefined'],
    ['r-0', '4', '1', '1', 'undefined', 'undefined'],
    ['r-0', '5', '4', '1', 'undefined', 'undefined'],
    ['r-1', '0', '5', '0', '13', 'Transfer input files failure'],
    ['r-1', '1', '5', '0', '1', 'via condor_hold'],
    ['undefined', 'x', '2', ...none],
  ];
  const found = rowsIn(`${listed.map((line) => line.join('\t')).join('\n')}\n`);
  expect([...found.keys()]).toEqual(['r-0', 'r-1']);
  expect([...found.get('r-0')!].map(([row, { state }]) => [row, state])).toEqual([
    [0, 'queued'],
    [1, 'running'],
    [2, 'running'],
    [3, 'running'],
  ]);
  expect([...found.get('r-1')!]).toEqual([
    [0, { state: 'stuck', why: 'Transfer input files failure' }],
    [1, { state: 'queued' }],
  ]);
});
