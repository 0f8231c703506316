import { execa } from 'execa';
import { InfraError } from '../base/errors.ts';
import { dieWithParent } from '../base/process.ts';
import { shellQuote } from '../base/text.ts';
import type { ExecOptions, ExecResult } from './target.ts';

/** Where a machine's SSH server is and what proves both sides. Plain JSON. */
export interface SshAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly keyFile: string;
  /** Holds exactly this machine's key. */
  readonly knownHosts: string;
  /** The kept connection's socket: a short path. */
  readonly socket: string;
}

const MAX_OUTPUT = 32 * 1024 * 1024;

function options(address: SshAddress): string[] {
  return [
    ...['-F', 'none', '-S', address.socket, '-p', String(address.port), '-i', address.keyFile],
    ...['-o', 'BatchMode=yes', '-o', 'IdentitiesOnly=yes', '-o', 'StrictHostKeyChecking=yes'],
    ...['-o', `UserKnownHostsFile=${address.knownHosts}`, '-o', 'GlobalKnownHostsFile=/dev/null'],
    // Fast in software, which is what an emulated CPU has.
    ...['-o', 'Ciphers=chacha20-poly1305@openssh.com,aes128-gcm@openssh.com', '-o', 'KexAlgorithms=curve25519-sha256'],
    ...['-o', 'ServerAliveInterval=20', '-o', 'ServerAliveCountMax=6', '-o', 'LogLevel=ERROR'],
  ];
}

/**
 * Opens the connection that all later commands share. It lives in a background process of ssh's own and ends with the
 * machine or with `closeSsh`.
 */
export async function openSsh(address: SshAddress, deadlineMs: number, signal?: AbortSignal): Promise<void> {
  const argv = [
    'ssh',
    ...options(address),
    '-o',
    `ConnectTimeout=${Math.ceil(deadlineMs / 1000)}`,
    '-M',
    '-f',
    '-N',
    `${address.user}@${address.host}`,
  ];
  // The background process inherits what is open here: a pipe would keep us waiting for as long as it lives.
  const result = await execa(argv[0]!, argv.slice(1), {
    stdio: 'ignore',
    reject: false,
    timeout: Math.ceil(deadlineMs),
    ...(signal ? { cancelSignal: signal } : {}),
  });
  if (result.failed)
    throw new InfraError(
      `cannot open an SSH connection to ${address.host}:${address.port}: ${result.timedOut ? 'no answer in time' : result.shortMessage}`,
    );
}

/** Ends the kept connection. */
export async function closeSsh(address: SshAddress): Promise<void> {
  await execa('ssh', [...options(address), '-O', 'exit', `${address.user}@${address.host}`], {
    stdio: 'ignore',
    reject: false,
    timeout: 5000,
  });
}

/** True while the kept connection is there. */
export async function checkSsh(address: SshAddress): Promise<boolean> {
  const result = await execa('ssh', [...options(address), '-O', 'check', `${address.user}@${address.host}`], {
    stdio: 'ignore',
    reject: false,
    timeout: 5000,
  });
  return result.exitCode === 0;
}

/**
 * Runs argv on the machine over the kept connection. Each argument is quoted for the shell on the other side.
 * @throws InfraError when the connection is lost or the deadline has passed.
 */
export async function execSsh(address: SshAddress, argv: readonly string[], request: ExecOptions): Promise<ExecResult> {
  const started = performance.now();
  const [program, ...args] = dieWithParent([
    'ssh',
    ...options(address),
    '-o',
    'ControlMaster=no',
    `${address.user}@${address.host}`,
    '--',
    argv.map(shellQuote).join(' '),
  ]);
  const child = execa(program!, args, {
    reject: false,
    stripFinalNewline: false,
    maxBuffer: MAX_OUTPUT,
    timeout: Math.ceil(request.deadlineMs),
    forceKillAfterDelay: 1000,
    ...(request.stdin === undefined ? { stdin: 'ignore' as const } : { input: request.stdin }),
    ...(request.signal ? { cancelSignal: request.signal } : {}),
  });
  if (request.onOutput) child.stdout?.on('data', (chunk: Buffer) => request.onOutput?.(chunk.toString()));
  const result = await child;
  const durationMs = performance.now() - started;
  const stdout = String(result.stdout ?? '');
  const stderr = String(result.stderr ?? '');
  const what = argv.join(' ').slice(0, 120);
  if (result.timedOut) {
    throw new InfraError(`cannot finish \`${what}\`: no end after ${(request.deadlineMs / 1000).toFixed(1)} s`, {
      cause: stderr.slice(-500) || undefined,
    });
  }
  if (result.isCanceled) throw request.signal?.reason ?? new InfraError(`cannot finish \`${what}\`: it was cancelled`);
  if (result.exitCode === undefined) throw new InfraError(`cannot run \`${what}\`: ${result.shortMessage}`);
  // 255 is ssh's own; a command may use it too, so ask whether the connection is still there.
  if (result.exitCode === 255 && !(await checkSsh(address))) {
    throw new InfraError(`cannot finish \`${what}\`: the SSH connection was lost`, {
      cause: stderr.slice(-500) || undefined,
    });
  }
  return { exitCode: result.exitCode, stdout, stderr, durationMs };
}

/** ssh's arguments for a person who enters the machine. */
export function shellArguments(address: SshAddress, command: readonly string[], terminal: boolean): string[] {
  return [
    ...options(address),
    ...(terminal ? ['-t'] : []),
    `${address.user}@${address.host}`,
    ...(command.length > 0 ? ['--', command.map(shellQuote).join(' ')] : []),
  ];
}
