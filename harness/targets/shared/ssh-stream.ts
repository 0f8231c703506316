import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { InfraError } from '../../base/errors.ts';
import { type SshAddress, sshOptions } from './ssh-connection.ts';

/**
 * A TCP connection that the machine opens, over the kept connection. It errors with what ssh says when there is none to
 * be had.
 * @param host a name or an address, as the machine knows it.
 */
export function connectFrom(address: SshAddress, host: string, port: number): Duplex {
  const to = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const ssh = spawn('ssh', [...sshOptions(address), '-o', 'ControlMaster=no', '-W', to, address.destination], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  ssh.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-500);
  });
  const stream = Duplex.from({ writable: ssh.stdin, readable: ssh.stdout });
  ssh.on('error', (cause) => stream.destroy(new InfraError(`cannot start ssh: ${cause.message}`, { cause })));
  ssh.on('close', (code) => {
    if (code === 0 || stream.destroyed) return;
    stream.destroy(
      new InfraError(`cannot connect to ${to} from ${address.name}: ${said.trim() || `ssh ended with ${code}`}`),
    );
  });
  stream.on('close', () => ssh.kill());
  return stream;
}
