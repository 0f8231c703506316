import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { exists } from '../base/files.ts';
import type { HarnessEvent, Verdict } from '../events/types.ts';
import { openEventLog } from '../events/writer.ts';

/** The behaviour of a simulated attempt. */
export interface FakePart {
  /** Its folder. */
  readonly part: string;
  readonly cell: string;
  readonly node: string;
  readonly verdict: Verdict;
  /** Exit code of its harness. */
  readonly exitCode: number;
  /** Its duration in milliseconds; if the signal is aborted, it ends at once as incomplete, with 130. */
  readonly ms: number;
  /** A file that must exist before it ends. */
  readonly until?: string | undefined;
  readonly signal: AbortSignal;
}

/** Writes the events of a harness that runs one cell, without running it. @throws when its power is cut. */
export async function writeFakePart({
  part,
  cell,
  node,
  verdict,
  exitCode,
  ms,
  until,
  signal,
}: FakePart): Promise<void> {
  if (await exists(join(part, 'abandoned'))) return;
  await mkdir(join(part, 'cells', ...cell.split('/')), { recursive: true });
  await writeFile(join(part, 'node'), `${node}\n`);
  await writeFile(join(part, 'cells', ...cell.split('/'), 'console.log'), `${cell} on ${node}\n`);
  const [arch = '', target = '', suite = ''] = cell.split('/');
  await using log = await openEventLog(join(part, 'events.jsonl'));
  const emit = async (event: HarnessEvent) => {
    if (signal.reason === 'lost') throw new Error('power cut');
    await log.append(event);
  };
  const planned = { name: cell, arch, target, suite, voting: true } as never;
  await emit({
    ...{ type: 'run.started', run: `part-of-${suite}`, harness: '0', matrix: { name: 'fake' }, control: 'amd64' },
    ...{ cells: [planned], jobs: 1, jobsReason: 'one', argv: [] },
    host: { arch: 'x64', cpu: 'fake', cores: 1, memoryBytes: 1, kernel: '0', node: 'v24' },
  });
  await emit({ type: 'step.started', cell, step: 'scenarios' });
  await emit({ type: 'tests.planned', cell, step: 'scenarios', tests: [{ file: 'a.scenario.ts', name: 'works' }] });
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
    if (signal.aborted) resolve();
  });
  while (until !== undefined && !signal.aborted && !(await exists(until))) await delay(100);
  const cut = signal.aborted;
  if (!cut && verdict !== 'infra')
    await emit({
      ...{ type: 'test.finished', cell, step: 'scenarios', file: 'a.scenario.ts', name: 'works', durationMs: ms },
      verdict: verdict === 'failed' ? 'failed' : 'passed',
      attempts: [{ verdict: verdict === 'failed' ? 'failed' : 'passed', durationMs: ms, errors: [] }],
    });
  const ended = cut ? 'incomplete' : verdict;
  await emit({ type: 'step.finished', cell, step: 'scenarios', verdict: ended, durationMs: ms });
  const reason = ended === 'passed' ? {} : { reason: cut ? 'the run was interrupted' : `it is ${verdict}` };
  await emit({ type: 'cell.finished', cell, verdict: ended, durationMs: ms, ...reason });
  await emit({ type: 'run.finished', exitCode: cut ? 130 : exitCode, interrupted: cut, durationMs: ms });
}
