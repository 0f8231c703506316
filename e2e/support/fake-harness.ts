import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { writeFakePart } from '../../harness/testing/fake-part.ts';

/**
 * Stands in for the harness on nodes, for tests of the dispatcher: writes the events of a cell without running it. The
 * project's `fake.json` has the results and durations.
 */
const argv = process.argv.slice(2);
const part = argv[argv.indexOf('--into') + 1]!;
const cell = argv[argv.indexOf('--only') + 1]!;
const plan = JSON.parse(await readFile(join(process.cwd(), 'fake.json'), 'utf8')) as {
  readonly ms: number;
  readonly until?: string;
  readonly red?: readonly string[];
  readonly infraOnce?: readonly string[];
};
const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort('cancelled'));
const infra = plan.infraOnce?.includes(cell) && basename(part) === '1';
const red = plan.red?.includes(cell);
const outcome = infra
  ? { verdict: 'infra' as const, exitCode: 3 }
  : red
    ? { verdict: 'failed' as const, exitCode: 1 }
    : { verdict: 'passed' as const, exitCode: 0 };
const node = process.env['HARNESS_NODE'] ?? 'nowhere';
await writeFakePart({
  part,
  cell,
  node,
  ...outcome,
  ms: plan.ms,
  until: red ? undefined : plan.until,
  signal: stop.signal,
});
process.exitCode = stop.signal.aborted ? 130 : outcome.exitCode;
