import { InfraError } from '../../base/errors.ts';
import { connectTo } from '../../base/socket.ts';
import { retryUntil, withDeadline } from '../../base/time.ts';

/** How a request to the guest's agent ended. */
export interface AgentAnswer {
  readonly exitCode: number;
  readonly output: string;
}

/** The channel to the program of `images/agent.ts` in a guest. Requests are answered one after another. */
export interface Agent extends Disposable {
  /**
   * @param kind `sh` runs a script in a shell, `perl` evaluates one inside the agent, which starts no process.
   * @throws InfraError if there is no answer within the deadline, or the channel is lost.
   */
  ask(kind: 'sh' | 'perl', code: string, deadlineMs: number): Promise<AgentAnswer>;
}

/** The largest answer, so that a guest that floods the channel does not fill our memory. */
const MAX_ANSWER = 8 * 2 ** 20;

/** Connects to the socket behind the guest's port, waiting for QEMU to make it. The guest may not listen yet. */
export async function openAgent(path: string, deadlineMs: number, signal?: AbortSignal): Promise<Agent> {
  const socket = await retryUntil(() => connectTo(path), { deadlineMs, everyMs: 10, signal });
  const waiting = new Map<number, { resolve: (answer: AgentAnswer) => void; reject: (error: Error) => void }>();
  let serial = 0;
  let received = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    for (;;) {
      const end = received.indexOf(10);
      if (end === -1) break;
      const match = /(\d+) (\d+) (\d+)$/.exec(received.toString('latin1', 0, end));
      const length = Number(match?.[3] ?? 0);
      if (length > MAX_ANSWER) return socket.destroy();
      if (received.length < end + 1 + length) return;
      const output = received.toString('utf8', end + 1, end + 1 + length);
      received = received.subarray(end + 1 + length);
      const request = match && waiting.get(Number(match[1]));
      if (!request) continue;
      waiting.delete(Number(match[1]));
      request.resolve({ exitCode: Number(match[2]), output });
    }
    // A line without end is not an answer.
    if (received.length > MAX_ANSWER) socket.destroy();
    return;
  });
  socket.on('close', () => {
    for (const { reject } of waiting.values()) reject(new InfraError('cannot ask the guest: its channel was closed'));
    waiting.clear();
  });
  return {
    ask(kind, code, askDeadlineMs) {
      if (socket.destroyed) return Promise.reject(new InfraError('cannot ask the guest: its channel is closed'));
      const id = ++serial;
      const bytes = Buffer.from(code);
      const answer = new Promise<AgentAnswer>((resolve, reject) => waiting.set(id, { resolve, reject }));
      answer.catch(() => {});
      // The newline in front ends whatever half a request an earlier connection left behind.
      socket.write(Buffer.concat([Buffer.from(`\n${kind} ${id} ${bytes.length}\n`), bytes]));
      return withDeadline(answer, askDeadlineMs, () => {
        waiting.delete(id);
        return new InfraError(`cannot ask the guest: no answer within ${(askDeadlineMs / 1000).toFixed(1)} s`);
      });
    },
    [Symbol.dispose]() {
      socket.destroy();
    },
  };
}
