import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { InfraError } from '../../base/errors.ts';
import { capabilitiesField, factsField, parseHandle } from '../handle.ts';
import type { ExecOptions, ExecResult, Target } from '../target.ts';

/** The answer of a command; missing fields are 0 or empty. */
const answerField = z.object({
  exitCode: z.int().exactOptional(),
  stdout: z.string().exactOptional(),
  stderr: z.string().exactOptional(),
  /** Milliseconds until it answers. */
  after: z.union([z.number(), z.literal('never')]).exactOptional(),
});
type PlainAnswer = z.output<typeof answerField>;

/** An answer, or a function that makes one; it may throw like a lost connection. Other processes do not have functions. */
export type Answer = PlainAnswer | ((argv: readonly string[]) => Promise<PlainAnswer> | PlainAnswer);

/** Answers by command: its words joined by blanks, for `sh -c` the script; `*` is any other. */
export type Answers = Readonly<Record<string, Answer>>;

const memoryHandle = z.object({
  kind: z.literal('memory'),
  facts: factsField,
  can: capabilitiesField,
  ports: z.array(z.int()).readonly(),
  answers: z.record(z.string(), answerField),
});
export type MemoryHandle = Readonly<z.output<typeof memoryHandle>>;

/** The default answers of every machine. */
const ALWAYS: Answers = { true: {} };

/** Runs a command of a machine in memory, with the deadline and the signal of every target. */
async function answer(answers: Answers, argv: readonly string[], options: ExecOptions): Promise<ExecResult> {
  const { deadlineMs, signal } = options;
  const name = argv[0] === 'sh' && argv[1] === '-c' ? argv[2]! : argv.join(' ');
  const found = answers[name] ?? ALWAYS[name] ?? answers['*'] ?? { exitCode: 127, stderr: `${argv[0]}: not found\n` };
  const started = performance.now();
  const plain = typeof found === 'function' ? await found(argv) : found;
  const { exitCode = 0, stdout = '', stderr = '', after = 0 } = plain;
  const late = after === 'never' || after > deadlineMs;
  if (late || after > 0) {
    await delay(late ? deadlineMs : after, undefined, signal ? { signal } : {}).catch(() => {});
    signal?.throwIfAborted();
  }
  if (late)
    throw new InfraError(`cannot finish \`${name}\`: no end after ${(deadlineMs / 1000).toFixed(1)} s`, { late: true });
  if (stdout !== '') options.onOutput?.(stdout);
  return { exitCode, stdout, stderr, durationMs: performance.now() - started };
}

/** A machine in memory, usable by any process that has its handle; each process has its own written files. */
export function useMemory(handle: MemoryHandle, answers: Answers, died: Promise<Error>): Target {
  const files = new Map<string, Uint8Array>();
  return {
    facts: handle.facts,
    handle,
    can: handle.can,
    died,
    exec: (argv, options) => answer(answers, argv, options),
    async write(path, content) {
      files.set(path, Buffer.from(content));
    },
    async read(path) {
      const found = files.get(path);
      if (!found) throw new InfraError(`cannot read ${path} on the target: there is no such file`);
      return found;
    },
    async forward(port) {
      if (!handle.ports.includes(port))
        throw new InfraError(`cannot reach port ${port} of the target: the suite's stack does not name it`);
      return { host: '127.0.0.1', port };
    },
    consoleTail: async () => ['the end of the console'],
    enter: (command) => ['echo', ...command],
    leave() {},
    async [Symbol.asyncDispose]() {},
  };
}

/** A machine in the memory of another process: it gives the answers in its handle. */
export async function reconnectMemory(handle: unknown): Promise<Target> {
  const memory = parseHandle(memoryHandle, handle);
  return useMemory(memory, memory.answers, new Promise(() => {}));
}

/** The answers that other processes can give too. */
export function plainAnswers(answers: Answers): Record<string, PlainAnswer> {
  return Object.fromEntries(
    Object.entries(answers).flatMap(([name, one]) => (typeof one === 'function' ? [] : [[name, one]])),
  );
}
