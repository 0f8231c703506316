import { connect, type Socket } from 'node:net';

/**
 * Connects to a unix socket. What goes wrong with it later is told by its `close`: an `error` that nobody listens to, even
 * for the moment until the caller does, would end this process.
 */
export function connectTo(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.on('error', reject);
    socket.once('connect', () => resolve(socket));
  });
}
