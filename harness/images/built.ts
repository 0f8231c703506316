import { join } from 'node:path';
import { InfraError, StackError } from '../base/errors.ts';
import { lastLines, shellQuote } from '../base/text.ts';
import { accountsOf } from './accounts.ts';
import { fileSteps, type ImageFile, writeContents } from './files.ts';
import { OverrunError } from './guard.ts';
import { type BuildPlace, bootstrap, startingFrom } from './rootfs.ts';

export interface BuiltRequest extends BuildPlace {
  /** The root file system that the commands run in, a tar file. */
  readonly rootfs: string;
  /** Put there before them. */
  readonly files: readonly ImageFile[];
  /** argv of each. */
  readonly commands: readonly (readonly string[])[];
}

/** What a build says before each command, so that it can be told which one failed. */
const MARK = 'harness-build: ';

/** What mmdebstrap says itself. */
const OWN = /^(?:[IWE]: |mmdebstrap)/;

/** The environment of a command, in which nothing depends on who builds. */
const ENVIRONMENT = [
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'HOME=/root',
  'LC_ALL=C.UTF-8',
  'DEBIAN_FRONTEND=noninteractive',
];

/**
 * Runs a suite's `build` commands in a root file system, one after the other, as root; those of a foreign architecture
 * through qemu-user.
 * @throws StackError naming the command that failed, with the end of what it printed.
 * @throws OverrunError when they take more than the limits allow.
 */
export async function runBuildCommands(request: BuiltRequest): Promise<void> {
  const { rootfs, files, commands, scratch, progress } = request;
  const contents = join(scratch, 'files');
  await writeContents(files, contents);
  const place = fileSteps(files, { root: '"$1"', contents, accounts: await accountsOf(rootfs) });
  const hooks = commands.map((argv, index) => {
    const line = argv.map(shellQuote).join(' ');
    const mark = `${MARK}${index + 1} of ${commands.length}: ${argv.join(' ')}`.split('\n')[0]!.slice(0, 120);
    return `echo ${shellQuote(mark)}; chroot "$1" env -i ${ENVIRONMENT.join(' ')} ${line} </dev/null`;
  });
  let running: string | undefined;
  let said = '';
  try {
    await bootstrap(request, {
      variant: 'custom',
      include: [],
      setUp: [startingFrom(rootfs), ...place],
      customize: hooks,
      purpose: `run the suite's build commands for ${request.arch.name}`,
      onLine(line) {
        if (line.startsWith(MARK)) {
          running = line.slice(MARK.length);
          said = '';
          progress?.(`build ${running}`);
        } else if (!OWN.test(line)) said = `${said}${line}\n`.slice(-8000);
      },
    });
  } catch (error) {
    if (running === undefined || error instanceof OverrunError || request.signal?.aborted) throw error;
    if (!(error instanceof InfraError)) throw error;
    throw new StackError(`cannot build the image: the command ${running} failed`, {
      cause: lastLines(said, 15).join('\n') || error,
      hint: 'It ran in the image before any boot: nothing runs there that it does not start itself.',
    });
  }
}
