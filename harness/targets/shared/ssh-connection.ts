import { readFile, rm } from 'node:fs/promises';
import { execa } from 'execa';
import { z } from 'zod';
import { InfraError } from '../../base/errors.ts';
import { lastLines, shellQuote } from '../../base/text.ts';
import type { ExecOptions, ExecResult } from '../target.ts';
import { execProcess } from './exec-process.ts';

/** How to reach a machine by ssh. Plain JSON. */
export const addressField = z.object({
  /** `user@host`, as ssh takes it; it never begins with a "-". */
  destination: z.string().regex(/^[^-]/),
  /** ssh's options for the connection and for authenticating both sides. */
  options: z.array(z.string()).readonly(),
  /** The kept connection's socket: a short path. */
  socket: z.string(),
  /** Its name for people. */
  name: z.string(),
  /** Sockets here that are ports of the machine's loopback interface while the kept connection lives: `127.0.0.1:8000:/path`. */
  back: z.array(z.string()).readonly().exactOptional(),
  /** Commands use only the kept connection: without it the machine may already be somebody else's. */
  onlyKept: z.boolean().exactOptional(),
});
export type SshAddress = Readonly<z.output<typeof addressField>>;

/** Options for our own machine on this host: they ignore the user's ssh, and its key is pinned. */
export function pinnedOptions(machine: {
  readonly port: number;
  readonly keyFile: string;
  /** Holds exactly this machine's key. */
  readonly knownHosts: string;
}): string[] {
  return [
    ...['-F', 'none', '-p', String(machine.port), '-i', machine.keyFile],
    ...['-o', 'IdentitiesOnly=yes', '-o', 'StrictHostKeyChecking=yes'],
    ...['-o', `UserKnownHostsFile=${machine.knownHosts}`, '-o', 'GlobalKnownHostsFile=/dev/null'],
    // Fast in software, which is what an emulated CPU has.
    ...['-o', 'Ciphers=chacha20-poly1305@openssh.com,aes128-gcm@openssh.com', '-o', 'KexAlgorithms=curve25519-sha256'],
  ];
}

/** Without a kept connection ssh opens a new one. The first of two options counts. */
const NO_OTHER_WAY = ['-o', 'ProxyCommand=false'];

/** ssh's options for using or opening a kept connection. */
export function sshOptions(address: SshAddress): string[] {
  return [
    ...['-S', address.socket, ...address.options, '-o', 'BatchMode=yes'],
    ...['-o', 'ServerAliveInterval=20', '-o', 'ServerAliveCountMax=6', '-o', 'LogLevel=ERROR'],
  ];
}

/**
 * Opens the connection that all later commands share. It lives in ssh's background process and ends with the machine or
 * by `closeSsh`.
 */
export async function openSsh(address: SshAddress, deadlineMs: number, signal?: AbortSignal): Promise<void> {
  const argv = [
    'ssh',
    ...sshOptions(address),
    '-o',
    `ConnectTimeout=${Math.ceil(deadlineMs / 1000)}`,
    ...(address.back ?? []).flatMap((one) => ['-o', 'ExitOnForwardFailure=yes', '-R', one]),
    '-M',
    '-f',
    '-N',
    address.destination,
  ];
  // The background process inherits open files: a pipe would keep us waiting for its whole life.
  const log = `${address.socket}.log`;
  await rm(log, { force: true });
  argv.splice(1, 0, '-E', log);
  const result = await execa(argv[0]!, argv.slice(1), {
    stdio: 'ignore',
    reject: false,
    timeout: Math.ceil(deadlineMs),
    ...(signal ? { cancelSignal: signal } : {}),
  });
  if (!result.failed) return;
  const said = lastLines(await readFile(log, 'utf8').catch(() => ''), 3).join('; ');
  const why = said || (result.timedOut ? 'no answer in time' : result.shortMessage);
  throw new InfraError(`cannot open an SSH connection to ${address.name}: ${why}`);
}

/** Ends the kept connection. */
export async function closeSsh(address: SshAddress): Promise<void> {
  await execa('ssh', [...sshOptions(address), '-O', 'exit', address.destination], {
    stdio: 'ignore',
    reject: false,
    timeout: 5000,
  });
}

/** True while the kept connection is there. */
export async function checkSsh(address: SshAddress): Promise<boolean> {
  const result = await execa('ssh', [...sshOptions(address), '-O', 'check', address.destination], {
    stdio: 'ignore',
    reject: false,
    timeout: 5000,
  });
  return result.exitCode === 0;
}

/** argv of a process that runs argv on the machine over the kept connection. Each word is quoted for the remote shell. */
export function commandArguments(address: SshAddress, argv: readonly string[]): string[] {
  return [
    ...['ssh', ...(address.onlyKept ? NO_OTHER_WAY : []), ...sshOptions(address), '-o', 'ControlMaster=no'],
    ...[address.destination, '--', argv.map(shellQuote).join(' ')],
  ];
}

/**
 * Runs argv on the machine over the kept connection.
 * @throws InfraError if the connection is lost or the deadline has passed.
 */
export async function execSsh(address: SshAddress, argv: readonly string[], request: ExecOptions): Promise<ExecResult> {
  const what = argv.join(' ').slice(0, 120);
  const result = await execProcess(commandArguments(address, argv), request, what);
  // 255 is ssh's own exit code, but a command may use it too, so check whether the connection still exists.
  if (result.exitCode === 255 && !(await checkSsh(address))) {
    throw new InfraError(`cannot finish \`${what}\`: the SSH connection was lost`, {
      cause: result.stderr.slice(-500) || undefined,
    });
  }
  return result;
}

/** ssh's arguments for a person who enters the machine. */
export function shellArguments(address: SshAddress, command: readonly string[], terminal: boolean): string[] {
  return [
    ...sshOptions(address),
    ...(terminal ? ['-t'] : []),
    address.destination,
    ...(command.length > 0 ? ['--', command.map(shellQuote).join(' ')] : []),
  ];
}
