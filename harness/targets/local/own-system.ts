import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { InfraError } from '../../base/errors.ts';
import { failAfter } from '../../base/fail-after.ts';
import { makeFolder } from '../../base/files.ts';
import { dieWithParent, identify, letGo, type ProcessIdentity, run } from '../../base/process.ts';
import { lastLines } from '../../base/text.ts';
import { withDeadline } from '../../base/time.ts';
import { serviceFiles } from '../../guest/service-manager.ts';
import type { Io } from '../target.ts';
import { ENTER } from './enter.ts';

/** A separate system on this host. Disposal ends everything in it. */
export interface OwnSystem extends AsyncDisposable {
  readonly first: ProcessIdentity;
  /** The address of its ports. */
  readonly host: string;
  readonly ownNetwork: boolean;
  /** Resolves with the end of what it printed when its first process ends. */
  readonly ended: Promise<string>;
  leave(): void;
}

const NAMESPACES = ['--mount', '--pid', '--uts', '--ipc', '--fork', '--kill-child=KILL'];

/** Milliseconds; on an idle machine it takes a tenth of a second. */
const START_MS = 30_000;

/** Why we cannot make one on this host, or undefined if we can. Found by trying, because privileges alone do not tell. */
export async function whyNotOwnSystem(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'that takes root';
  const tried = await execa(
    'unshare',
    [
      '--mount',
      '--pid',
      '--net',
      '--uts',
      '--ipc',
      '--fork',
      'sh',
      '-c',
      'mount --make-rprivate / && mount -t tmpfs tmpfs /mnt',
    ],
    { reject: false, stdin: 'ignore', timeout: 10_000 },
  );
  return tried.failed ? `unshare says: ${lastLines(tried.stderr, 1)[0] ?? tried.shortMessage}` : undefined;
}

/** Makes a separate system. @param network whether it shares this host's network, and its access to other machines. */
export async function startOwnSystem(
  { hostname, network }: { readonly hostname: string; readonly network: boolean },
  io: Io,
): Promise<OwnSystem> {
  const runtimeFolder = await io.makeRuntimeFolder();
  const place = join(runtimeFolder, 'system');
  const services = join(runtimeFolder, 'services');
  makeFolder(place);
  makeFolder(services);
  for (const { path, mode, content } of await serviceFiles())
    await writeFile(join(services, basename(path)), content, { mode: Number.parseInt(mode, 8) });
  const subnet = network ? undefined : freeSubnet();
  const address = subnet ? `${subnet.there}/30` : '';
  const [program, ...args] = (io.keep ? (argv: string[]) => argv : dieWithParent)([
    ...['unshare', ...NAMESPACES, ...(network ? [] : ['--net'])],
    ...['sh', '-c', ENTER, 'enter', place, services, hostname, address],
  ]);
  const child = spawn(program!, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  let said = '';
  const ended = new Promise<string>((resolve) => {
    child.once('exit', () => resolve(lastLines(said, 10).join('\n')));
    child.once('error', (error) => resolve(error.message));
  });
  const until = (words: string) =>
    withDeadline(
      Promise.race([
        new Promise<void>((resolve) => {
          const look = () => said.includes(words) && resolve();
          child.stdout.on('data', look);
          look();
        }),
        ended.then((why) => {
          throw new InfraError(`cannot make a separate system on this host: ${why || 'it said nothing'}`);
        }),
      ]),
      START_MS,
      () => new InfraError(`cannot make a separate system on this host: not there after ${START_MS / 1000} s`),
    );
  const keepSaid = (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-20_000);
  };
  child.stdout.on('data', keepSaid);
  child.stderr.on('data', keepSaid);
  const end = async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(runtimeFolder, { recursive: true, force: true });
  };
  try {
    await until('waiting');
    const first = await firstProcess(child);
    await io.register({ kind: 'process', ...first, what: `the local system ${hostname}` });
    if (subnet) await connectNetwork(first.pid, subnet);
    child.stdin.end('go\n');
    await until('services are managed');
    const host = subnet?.there ?? '127.0.0.1';
    return { first, host, ownNetwork: !network, ended, leave: () => letGo(child), [Symbol.asyncDispose]: end };
  } catch (error) {
    return failAfter(error, end);
  }
}

/** The child of `unshare`, which is the first process in its namespace. */
async function firstProcess(child: ChildProcess): Promise<ProcessIdentity> {
  const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
  const first = identify(Number(children.trim().split(' ')[0]));
  if (!first) throw new InfraError('cannot make a separate system on this host: its first process is gone');
  return first;
}

/** A cable between this host and the system; both ends go with it. */
async function connectNetwork(pid: number, { here: address }: Subnet): Promise<void> {
  const here = `hl${pid}`.slice(0, 15);
  const ip = (...args: string[]) => run(['ip', ...args], { purpose: 'connect the local system to a network' });
  await ip('link', 'add', here, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid));
  await ip('address', 'add', `${address}/30`, 'dev', here);
  await ip('link', 'set', here, 'up');
}

/** A network of two addresses, of this host and of a system. */
interface Subnet {
  readonly here: string;
  readonly there: string;
}

/**
 * A network of RFC 2544's range for network tests, 198.18.0.0/15, in which this host has no address. Any of its 32,768: one
 * that starts at the same moment has no address yet.
 */
function freeSubnet(): Subnet {
  const taken = new Set(
    Object.values(networkInterfaces()).flatMap((found) => found?.map(({ address }) => address) ?? []),
  );
  for (;;) {
    const first = randomInt(2 ** 15) * 4;
    const [here, there] = [1, 2].map(
      (last) => `198.${18 + (first >> 16)}.${(first >> 8) & 255}.${(first & 255) + last}`,
    );
    if (!taken.has(here!)) return { here: here!, there: there! };
  }
}
