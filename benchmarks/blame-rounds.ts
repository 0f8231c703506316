import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';

/** The verdict on a cause in one round. */
const round = z.object({
  arch: z.string(),
  control: z.string(),
  cause: z.string(),
  /** From 0. */
  round: z.int(),
  named: z.boolean(),
  /** Whether the cell is green. */
  passed: z.boolean(),
  /** Verdict and reason. */
  words: z.string(),
  /** Duration of the cell's steps and of re-running its tests, in milliseconds. */
  durationMs: z.number(),
  /** The commit of the harness. */
  commit: z.string(),
});
export type Round = Readonly<z.output<typeof round>>;

/** Earlier rounds, of any architecture; a line that was cut short by a kill is skipped. */
export async function readRounds(file: string): Promise<Round[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      try {
        return [round.parse(JSON.parse(line))];
      } catch {
        return [];
      }
    });
}

/** Appends finished rounds. */
export async function noteRounds(file: string, rounds: readonly Round[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await appendFile(file, rounds.map((one) => `${JSON.stringify(one)}\n`).join(''));
}

/** The causes that remain to be injected, by round. */
export function leftOf(causes: readonly string[], rounds: number, done: readonly Round[]): Map<number, string[]> {
  const isDone = (cause: string, at: number) => done.some((one) => one.cause === cause && one.round === at);
  return new Map(
    Array.from({ length: rounds }, (_, at): [number, string[]] => [at, causes.filter((cause) => !isDone(cause, at))]),
  );
}
