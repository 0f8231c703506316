import { connect, type Socket } from 'node:net';

/**
 * Connects to a unix socket. Later errors show up as `close`: an `error` without a listener, even before the caller
 * adds one, would end this process.
 */
export function connectTo(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.on('error', reject);
    socket.once('connect', () => resolve(socket));
  });
}
