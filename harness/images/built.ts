import { join } from 'node:path';
import { shellQuote } from '../base/text.ts';
import { accountsOf } from './accounts.ts';
import { fileSteps, type ImageFile, writeContents } from './files.ts';
import { type BuildPlace, startingFrom } from './rootfs.ts';
import { BUILD_ENVIRONMENT, runSteps } from './steps.ts';

export interface BuiltRequest extends BuildPlace {
  /** The root file system that the commands run in, a tar file. */
  readonly rootfs: string;
  /** Put there before them. */
  readonly files: readonly ImageFile[];
  /** argv of each. */
  readonly commands: readonly (readonly string[])[];
}

/**
 * Runs a suite's `build` commands in a root file system, one after the other, as root; those of a foreign architecture
 * through qemu-user.
 * @throws StackError naming the command that failed, with the end of what it printed.
 * @throws OverrunError when they take more than the limits allow.
 */
export async function runBuildCommands(request: BuiltRequest): Promise<void> {
  const { rootfs, files, commands, scratch } = request;
  const contents = join(scratch, 'files');
  await writeContents(files, contents);
  const place = fileSteps(files, { root: '"$1"', contents, accounts: await accountsOf(rootfs) });
  await runSteps(request, {
    setUp: [startingFrom(rootfs), ...place],
    steps: commands.map((argv) => ({
      argv,
      line: `chroot "$1" env -i ${BUILD_ENVIRONMENT.join(' ')} ${argv.map(shellQuote).join(' ')} </dev/null`,
    })),
    purpose: `run the suite's build commands for ${request.arch.name}`,
    failure: {
      what: 'cannot build the image',
      hint: 'It ran in the image before any boot: nothing runs there that it does not start itself.',
    },
  });
}
