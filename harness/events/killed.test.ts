import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { readEvents } from './reader.ts';

test('after SIGKILL every event that was acknowledged is in the file', async ({ onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'killed-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'events.jsonl');
  const script = `
    import { openEventLog } from '${join(import.meta.dirname, 'writer.ts')}';
    const log = await openEventLog('${file}');
    for (let n = 0; ; n++) {
      await log.append({ type: 'log', level: 'info', message: 'x'.repeat(5000) });
      process.stdout.write(n + '\\n');
    }`;
  const writer = execa(process.execPath, ['--input-type=module', '--eval', script], { reject: false });
  let acknowledged = -1;
  for await (const line of writer.iterable()) {
    acknowledged = Number(line);
    if (acknowledged === 50) writer.kill('SIGKILL');
  }
  const { events } = await readEvents(file);
  expect(acknowledged).toBeGreaterThanOrEqual(50);
  expect(events.length).toBeGreaterThan(acknowledged);
});
