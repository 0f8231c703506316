import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';

/** What a cause was called in one round. */
const round = z.object({
  arch: z.string(),
  control: z.string(),
  cause: z.string(),
  /** From 0. */
  round: z.int(),
  named: z.boolean(),
  /** Whether the cell looks as if nothing were wrong. */
  passed: z.boolean(),
  /** Verdict and reason. */
  words: z.string(),
  /** What the cell's steps took, and trying its tests again. */
  durationMs: z.number(),
  /** The commit of the harness. */
  commit: z.string(),
});
export type Round = Readonly<z.output<typeof round>>;

/** Rounds that were done before, of any architecture; a line that was cut short by a kill is none. */
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

/** Adds rounds to those that are done. */
export async function noteRounds(file: string, rounds: readonly Round[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await appendFile(file, rounds.map((one) => `${JSON.stringify(one)}\n`).join(''));
}

/** Which causes are left to be injected in each round. */
export function leftOf(causes: readonly string[], rounds: number, done: readonly Round[]): Map<number, string[]> {
  const isDone = (cause: string, at: number) => done.some((one) => one.cause === cause && one.round === at);
  return new Map(
    Array.from({ length: rounds }, (_, at): [number, string[]] => [at, causes.filter((cause) => !isDone(cause, at))]),
  );
}
