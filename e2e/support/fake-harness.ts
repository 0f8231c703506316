import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { writeFakePart } from '../../harness/testing/fake-part.ts';

/**
 * What nodes call in place of the harness, for tests of what hands cells to them: it writes the events of a cell, and runs
 * none. What a cell comes to, and when, is in `fake.json` of the project.
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
const node = process.env['SLURMD_NODENAME'] ?? 'nowhere';
await writeFakePart({ part, cell, node, ...outcome, ms: plan.ms, until: plan.until, signal: stop.signal });
process.exitCode = stop.signal.aborted ? 130 : outcome.exitCode;
