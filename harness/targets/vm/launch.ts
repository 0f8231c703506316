import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InfraError } from '../../base/errors.ts';
import { identify, type ProcessIdentity, type Started, start } from '../../base/process.ts';
import { lastLines } from '../../base/text.ts';
import type { Io } from '../target.ts';

/** The process of a QEMU. */
export interface Launched {
  readonly child: Started;
  readonly identity: ProcessIdentity;
  /** The end of what it printed itself. */
  said(): Promise<string[]>;
}

/** Signals of a process that ends through its own fault. */
const CRASHES: readonly (string | null)[] = ['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL'];

/**
 * Starts a QEMU, whose command line and output are kept in the machine's folder, and registers it.
 * @param what it is for, for people.
 */
export async function launchQemu(argv: readonly string[], what: string, io: Io): Promise<Launched> {
  const log = join(io.folder, 'qemu.log');
  await writeFile(join(io.folder, 'qemu-command.json'), `${JSON.stringify(argv, null, 1)}\n`);
  const child = start(argv, { logFile: log, outlive: io.keep });
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (!identity) throw new InfraError(`cannot start ${argv[0]}: ${(await child.ended).error?.message}`);
  await io.register({ kind: 'process', ...identity, what: `${argv[0]} of ${what}` });
  return { child, identity, said: async () => lastLines(await readFile(log, 'utf8').catch(() => ''), 5) };
}

/** How a QEMU ended that was not to end, in words, and whether that is its own fault. */
export function endOf({ exitCode, signal }: Awaited<Started['ended']>): {
  readonly how: string;
  readonly crashed: boolean;
} {
  const crashed = CRASHES.includes(signal) || (exitCode ?? 0) !== 0;
  return { how: signal ? `it was ended by ${signal}` : `it exited with ${exitCode ?? 'an error'}`, crashed };
}
