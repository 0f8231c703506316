import { InfraError, StackError } from '../base/errors.ts';
import { lastLines, shellQuote } from '../base/text.ts';
import { OverrunError } from './guard.ts';
import { type BuildPlace, bootstrap } from './rootfs.ts';

/** A command in a root file system that is being made. */
export interface BuildStep {
  readonly argv: readonly string[];
  /** The line of sh that runs it, with the root as `$1`. */
  readonly line: string;
}

interface Steps {
  /** Lines of sh before them, with the root as `$1`. */
  readonly setUp: readonly string[];
  readonly steps: readonly BuildStep[];
  /** Lines of sh after them. */
  readonly after?: readonly string[];
  readonly purpose: string;
  /** What to tell who wrote the command that failed. */
  readonly failure: { readonly what: string; readonly hint: string };
  /** Told every line of output. */
  readonly onLine?: (line: string) => void;
}

/** What a build says before each command, so that it can be told which one failed. */
const MARK = 'harness-build: ';

/** What mmdebstrap says itself. */
const OWN = /^(?:[IWE]: |mmdebstrap)/;

/** The environment of a command, in which nothing depends on who builds. */
export const BUILD_ENVIRONMENT = [
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'HOME=/root',
  'LC_ALL=C.UTF-8',
  'DEBIAN_FRONTEND=noninteractive',
];

/**
 * Runs commands in a root file system, one after the other.
 * @throws StackError naming the command that failed, with the end of what it printed.
 * @throws OverrunError when they take more than the limits allow.
 */
export async function runSteps(place: BuildPlace, what: Steps): Promise<void> {
  const { progress, signal } = place;
  const hooks = what.steps.map(({ argv, line }, index) => {
    const mark = `${MARK}${index + 1} of ${what.steps.length}: ${argv.join(' ')}`.split('\n')[0]!.slice(0, 120);
    return `echo ${shellQuote(mark)}; ${line}`;
  });
  let running: string | undefined;
  let said = '';
  try {
    await bootstrap(place, {
      variant: 'custom',
      include: [],
      setUp: what.setUp,
      customize: [...hooks, ...(what.after ?? [])],
      purpose: what.purpose,
      onLine(line) {
        what.onLine?.(line);
        if (line.startsWith(MARK)) {
          running = line.slice(MARK.length);
          said = '';
          progress?.(`build ${running}`);
        } else if (!OWN.test(line)) said = `${said}${line}\n`.slice(-8000);
      },
    });
  } catch (error) {
    if (running === undefined || error instanceof OverrunError || signal?.aborted) throw error;
    if (!(error instanceof InfraError)) throw error;
    throw new StackError(`${what.failure.what}: the command ${running} failed`, {
      cause: lastLines(said, 15).join('\n') || error,
      hint: what.failure.hint,
    });
  }
}
