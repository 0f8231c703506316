import type { Exit } from './judge.ts';
import { clean } from './text.ts';
import { DEFAULT_LIMITS, type ForeignTest } from './types.ts';

/** The one test of a command whose results are its exit code. 77 is a skip only where somebody asked for it. */
export function testOfExit(
  command: string,
  { code, signal }: Exit,
  { durationMs, output, skipCode }: { durationMs?: number; output?: string; skipCode?: number } = {},
): ForeignTest {
  const skipped = signal === undefined && code !== undefined && code === skipCode;
  const passed = signal === undefined && code === 0;
  const how = signal === undefined ? `exit code ${code ?? 'unknown'}` : `ended by ${signal}`;
  const test = {
    suites: [],
    name: command,
    ...(durationMs === undefined ? {} : { durationMs }),
    verdict: passed ? 'passed' : skipped ? 'skipped' : 'failed',
    ...(passed ? {} : skipped ? { reason: how } : { message: how }),
    ...(output === undefined ? {} : { output }),
  } as const;
  const cleaned = clean(test, DEFAULT_LIMITS);
  return { id: cleaned.name, ...cleaned };
}
