import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { InfraError } from '../base/errors.ts';
import { lastLines } from '../base/text.ts';
import type { Target } from '../targets/target.ts';
import type { Workspace } from './workspace.ts';

/** The most output of a command, both streams together, in bytes: anything after that is dropped. */
export const MAX_OUTPUT = 16 * 2 ** 20;
/** Extra milliseconds after a command's deadline for the runner to end it and report. */
const GRACE_MS = 30_000;

export type OutputStream = 'stdout' | 'stderr';

export interface CommandOptions {
  readonly workspace: Workspace;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds after which it is ended, already scaled. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** Called with its output as it arrives, as raw bytes. */
  readonly onOutput?: (stream: OutputStream, chunk: Buffer) => void;
}

/** How a command on a machine ended. */
export interface CommandEnd {
  /** Absent when a signal ended it. */
  readonly exitCode?: number;
  readonly signal?: number;
  /** It was ended at its deadline. */
  readonly late: boolean;
  /** Seconds since its last output. */
  readonly silentSeconds: number;
  /** Bytes of its output that were not kept. */
  readonly lostBytes: number;
  /** Names of processes that it left running; they have been ended. */
  readonly left: readonly string[];
  /** Why it could not be started. */
  readonly problem?: string;
  /** Free space on its disk, in bytes. */
  readonly freeBytes?: number;
  /** Free inodes on it. */
  readonly freeFiles?: number;
  readonly durationMs: number;
}

const ending = z.object({
  exit: z.int().nullable(),
  signal: z.int().nullable(),
  late: z.boolean(),
  silentSeconds: z.number(),
  lostBytes: z.number(),
  left: z.array(z.string()).max(1000),
  problem: z.string().nullable(),
  freeKib: z.number().nullable(),
  freeFiles: z.number().nullable(),
});

const script = readFile(new URL('runner.pl', import.meta.url), 'utf8');

/**
 * Runs a command in a workspace, as its user, without a shell and without input. All processes that it started have
 * ended when this returns. A failing command is a result, not an error.
 * @throws InfraError if the machine cannot run commands, or is lost.
 */
export async function runCommand(target: Target, options: CommandOptions): Promise<CommandEnd> {
  const { workspace, argv, env, deadlineMs, signal, onOutput } = options;
  const cookie = randomBytes(8).toString('hex');
  const seconds = Math.max(1, Math.ceil(deadlineMs / 1000));
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const place = [workspace.base, workspace.user, cookie, String(seconds), String(MAX_OUTPUT)];
  let rest = '';
  let last: z.output<typeof ending> | undefined;
  const read = (line: string): void => {
    if (line.startsWith('x')) last = ending.safeParse(jsonOf(line.slice(1))).data;
    const stream = line.startsWith('o') ? 'stdout' : line.startsWith('e') ? 'stderr' : undefined;
    if (stream === undefined) return;
    onOutput?.(stream, Buffer.from(line.slice(1), 'base64'));
  };
  const running = target.exec(['perl', '-e', await script, ...place, ...variables, '--', ...argv], {
    deadlineMs: seconds * 1000 + GRACE_MS,
    signal,
    onOutput(text) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(read);
    },
  });
  const result = await unlessAborted(running, signal);
  if (last === undefined)
    throw new InfraError(`cannot run commands on the machine: its runner exited with ${result.exitCode}`, {
      cause: lastLines(result.stderr, 5).join('\n') || undefined,
      hint: 'The machine needs perl; Debian’s perl-base is enough.',
    });
  const { exit, signal: killedBy, problem, freeKib, freeFiles, ...seen } = last;
  return {
    ...seen,
    ...(exit === null ? {} : { exitCode: exit }),
    ...(killedBy === null ? {} : { signal: killedBy }),
    ...(problem === null ? {} : { problem }),
    ...(freeKib === null ? {} : { freeBytes: freeKib * 1024 }),
    ...(freeFiles === null ? {} : { freeFiles }),
    durationMs: Math.round(result.durationMs),
  };
}

/** What was begun, or the signal's reason at once: what an ended process left on a machine may hold its output for long. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  // Nobody may be waiting for either any more.
  promise.catch(() => {});
  work.catch(() => {});
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
