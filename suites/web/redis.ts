import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A bare connection to Redis: commands out, and as many bytes of answer as they must have. */
export class RedisConnection implements Disposable {
  readonly #socket: Socket;
  #received = '';
  /** Looks again whether what is awaited has come. */
  #look: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      this.#received += chunk;
      this.#look();
    });
    // A broken connection closes as well; without a listener its error would end the process.
    socket.on('error', () => {});
    socket.on('close', () => this.#look());
  }

  static async open(host: string, port: number): Promise<RedisConnection> {
    const socket = connect({ host, port });
    await once(socket, 'connect');
    return new RedisConnection(socket);
  }

  /** Sends commands in one piece and resolves with the answer's first `length` bytes, when they are here. */
  ask(request: string, length: number): Promise<string> {
    this.#received = '';
    this.#socket.write(request, 'latin1');
    return new Promise((resolve, reject) => {
      this.#look = () => {
        const { length: got } = this.#received;
        if (got >= length) resolve(this.#received.slice(0, length));
        else if (this.#socket.closed) reject(new Error(`Redis closed the connection after ${got} of ${length} bytes`));
      };
    });
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

/** A command as Redis reads it: an array of bulk strings. */
export function command(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}
