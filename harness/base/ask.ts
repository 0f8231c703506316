import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';

/**
 * Answers requests of this user's other processes: one line of JSON each way. Errors of `answer` are sent as messages.
 */
export async function serveRequests(
  socketPath: string,
  answer: (request: unknown) => Promise<unknown>,
): Promise<AsyncDisposable> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    const lines = createInterface({ input: socket });
    lines.on('error', () => {});
    lines.on('line', (line) => {
      const send = (said: object) => void (socket.destroyed || socket.write(`${JSON.stringify(said)}\n`));
      Promise.resolve()
        .then(() => answer(JSON.parse(line)))
        .then(
          (result) => send({ result: result ?? null }),
          (error: Error) => send({ error: error.message }),
        );
    });
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socketPath, resolve));
  return {
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}

/** Asks a process that runs `serveRequests`. Each request has its own connection, so there is nothing to close. */
export function request(socketPath: string, what: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath, () => socket.write(`${JSON.stringify(what)}\n`));
    socket.once('error', reject);
    const lines = createInterface({ input: socket });
    lines.on('error', reject);
    lines.once('line', (line) => {
      socket.destroy();
      const { error, result } = JSON.parse(line) as { error?: string; result?: unknown };
      if (error === undefined) resolve(result);
      else reject(new Error(error));
    });
    socket.once('close', () => reject(new Error('nobody answers')));
  });
}
