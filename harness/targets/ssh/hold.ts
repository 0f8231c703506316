import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { InfraError } from '../../base/errors.ts';
import { dieWithParent, letGo } from '../../base/process.ts';
import { printable, shellQuote } from '../../base/text.ts';
import { type SshAddress, sshOptions } from '../shared/ssh-connection.ts';
import { connectionError } from './failure.ts';
import type { KnownMachine } from './machines.ts';

/**
 * Takes one of a machine's slots and keeps it while its standard input is open. It is a kernel lock that ends with the
 * connection, so nobody has to find out whether its owner is still alive.
 */
const HOLD = `
folder=$1 places=$2 owner=$3
mkdir -p "$folder" && cd "$folder" || exit 74
hold() {
  printf '%s\\n' "$owner" >"place-$1.owner"
  echo "locked $1"
  cat >/dev/null
  rm -f "place-$1.owner"
  exit 0
}
place=0
while [ "$place" -lt "$places" ]; do
  exec 9>>"place-$place.lock"
  flock -n 9 && hold "$place"
  place=$((place + 1))
done
echo "busy $(cat place-0.owner 2>/dev/null)"
exec 9>>place-0.lock
flock 9 && hold 0
`;

/** The shared connection to a machine, which also holds the machine's lock. */
export interface Hold {
  /** The number of the slot. */
  readonly place: number;
  /** Ports of the machine to ports of 127.0.0.1. */
  readonly ports: Readonly<Record<string, number>>;
  /** Resolves when the connection has ended, for any reason. */
  readonly ended: Promise<void>;
  /** Ends the connection, and with it the lock. */
  end(): Promise<void>;
  /** Lets this process exit while the connection is open. */
  leave(): void;
}

export interface HoldOptions {
  readonly machine: KnownMachine;
  readonly address: SshAddress;
  readonly asRoot: readonly string[];
  readonly stateFolder: string;
  /** Name of the holder, shown to waiters. */
  readonly owner: string;
  /** Ports of the machine to forward, and the local ports if already known. */
  readonly ports: Readonly<Record<string, number | undefined>>;
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
}

/** Connects, waits for a slot, and keeps both. @throws InfraError if the machine cannot be reached. */
export async function holdMachine(options: HoldOptions): Promise<Hold> {
  const { machine, address, asRoot, stateFolder, owner, signal } = options;
  const ports: Record<string, number> = {};
  for (const [port, local] of Object.entries(options.ports)) ports[port] = local ?? (await freePort());
  const lock = [...asRoot, 'sh', '-c', HOLD, 'hold', stateFolder, String(machine.cells), owner];
  const [program, ...args] = dieWithParent([
    ...['ssh', '-M', ...sshOptions(address), '-o', 'ConnectTimeout=20', '-o', 'ExitOnForwardFailure=yes'],
    ...Object.entries(ports).flatMap(([port, local]) => ['-L', `127.0.0.1:${local}:127.0.0.1:${port}`]),
    ...[address.destination, '--', lock.map(shellQuote).join(' ')],
  ]);
  const child = spawn(program!, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const end = async () => {
    child.stdin.end();
    child.kill('SIGTERM');
    await ended;
  };
  try {
    const place = await placeOf(child, options, ended);
    return { place, ports, ended, end, leave: () => letGo(child) };
  } catch (error) {
    await end();
    signal.throwIfAborted();
    throw error;
  }
}

/** Resolves with the slot once it is taken. */
function placeOf(child: ChildProcess, options: HoldOptions, ended: Promise<void>): Promise<number> {
  const { machine, address, signal, progress } = options;
  return new Promise((resolve, reject) => {
    let said = '';
    let complained = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      complained = (complained + chunk.toString()).slice(-4000);
    });
    child.stdout?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4000);
      const busy = /^busy (.*)$/m.exec(said);
      if (busy) progress(`waiting for ${machine.name}: in use${busy[1] ? ` by ${printable(busy[1])}` : ''}`);
      const place = /^locked (\d+)$/m.exec(said)?.[1];
      if (place !== undefined) resolve(Number(place));
    });
    void ended.then(() =>
      reject(
        child.exitCode === 74
          ? new InfraError(`cannot use ${machine.name}: it cannot be locked (${printable(complained.trim())})`)
          : connectionError(machine.name, complained, [...address.options, address.destination]),
      ),
    );
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** An unused port. Another process may take it before we do; then ssh reports it. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
