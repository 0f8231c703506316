import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { tempFiles } from '../../testing/temp-files.ts';
import { jobScript } from './script.ts';
import { rowsIn } from './squeue.ts';

test('a task runs the row of its index, with every word as it was given', async () => {
  await using files = await tempFiles();
  const words = ["it's", 'two words', '$HOME', 'a\nb', '', '"x"', '*'];
  const argv = ['printf', '%s\\0', ...words];
  const { rows, text } = jobScript(
    { folder: files.folder, rows: [['false'], argv, ['false']] },
    { setup: 'export GREETING=hello' },
  );
  expect(rows.split('\n').length).toBe(4);
  await writeFile(join(files.folder, 'rows'), rows);
  await writeFile(join(files.folder, 'job.sh'), `${text}`);
  const { stdout } = await execa('sh', [join(files.folder, 'job.sh')], { env: { SLURM_ARRAY_TASK_ID: '1' } });
  expect(stdout.split('\0')).toEqual([...words, '']);
});

test('what is pending, what runs, what is ending, and what would wait for ever', () => {
  const listed = [
    'r-0|0|RUNNING|None',
    'r-0|1|PENDING|Resources',
    'r-0|2|COMPLETING|None',
    'r-1|0|PENDING|launch failed requeued held',
    'r-1|1|PENDING|BadConstraints',
    'r-1|2|PENDING|JobHeldUser',
    'other|N/A|RUNNING|None',
    '',
  ].join('\n');
  const found = rowsIn(listed);
  expect([...found.keys()]).toEqual(['r-0', 'r-1']);
  expect([...found.get('r-0')!]).toEqual([
    [0, { state: 'running' }],
    [1, { state: 'queued' }],
    [2, { state: 'running' }],
  ]);
  expect([...found.get('r-1')!].map(([, { state }]) => state)).toEqual(['stuck', 'stuck', 'queued']);
});
