import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { execa } from 'execa';
import { InfraError } from '../../base/errors.ts';
import { type SshAddress, sshOptions } from './ssh-connection.ts';

/** Milliseconds for the kept connection to open a socket, which does not involve the machine. */
const OPEN_MS = 10_000;

/** Path of a machine's socket on this host: beside the connection's own, and so as short and as private. */
export function socketBeside(address: SshAddress, remotePath: string): string {
  return `${address.socket}.${createHash('sha256').update(remotePath).digest('hex').slice(0, 8)}`;
}

/**
 * Opens a Unix socket on this host that leads to one of the machine, over the kept connection, or finds the one that
 * another process has opened. It ends with the connection.
 * @returns its path.
 */
export async function forwardSocket(address: SshAddress, remotePath: string): Promise<string> {
  const local = socketBeside(address, remotePath);
  if (await listens(local)) return local;
  // Left by an earlier connection: ssh would not replace it.
  await rm(local, { force: true });
  const forward = ['-O', 'forward', '-L', `${local}:${remotePath}`, address.destination];
  const result = await execa('ssh', [...sshOptions(address), ...forward], {
    stdin: 'ignore',
    reject: false,
    timeout: OPEN_MS,
  });
  // Two processes may have tried concurrently: then one of them succeeded.
  if (result.failed && !(await listens(local)))
    throw new InfraError(
      `cannot reach ${remotePath} of ${address.name}: ${result.stderr.trim() || result.shortMessage || 'no answer'}`,
    );
  return local;
}

function listens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
