import { basename, resolve } from 'node:path';
import { ConfigError } from '../../base/errors.ts';
import { splitList } from '../../base/split-list.ts';
import { suiteSchema } from '../schema/suite.ts';
import type { Suite } from '../suite.ts';

/** The options of a command line that make a suite of a command. */
export interface CommandFlags {
  /** argv of the command, from behind `--`. */
  readonly command: readonly string[];
  readonly packages?: readonly string[] | undefined;
  /** Shell commands that are run once, before the snapshot. */
  readonly setup?: readonly string[] | undefined;
  /** `tap`, or `junit:report.xml`. */
  readonly results?: string | undefined;
  readonly artifacts?: readonly string[] | undefined;
  /** A folder; `false`: none is copied; absent: the folder that one stands in. */
  readonly source?: string | false | undefined;
  readonly root?: boolean | undefined;
  readonly network?: boolean | undefined;
  /** Native seconds for the command. */
  readonly seconds?: number | undefined;
  /** MiB. */
  readonly memory?: number | undefined;
  /** MiB. */
  readonly disk?: number | undefined;
}

/** What a compiler needs is more than what a service does. */
const MACHINE = { memory: 1024, disk: 4096 } as const;

/**
 * The suite that a command line means: its command as the one test, in a machine with its packages and a copy of its folder.
 * @throws ConfigError naming the option that is not right.
 */
export function commandSuite(flags: CommandFlags, cwd: string): Suite {
  const folder = resolve(cwd, flags.source === false || flags.source === undefined ? '.' : flags.source);
  const [first = ''] = flags.command;
  if (first === '')
    throw new ConfigError('there is no command behind --', { hint: 'harness run --arch arm64 -- make check' });
  const parsed = suiteSchema.safeParse({
    description: `\`${flags.command.join(' ')}\` on each machine.`,
    ...(flags.source === false ? {} : { source: '.' }),
    needs: flags.network ? ['network'] : [],
    machine: { memory: flags.memory ?? MACHINE.memory, disk: flags.disk ?? MACHINE.disk },
    stack: { packages: splitList(flags.packages) },
    setup: flags.setup ?? [],
    tests: [{ run: flags.command, results: resultsOf(flags.results), seconds: flags.seconds }],
    artifacts: flags.artifacts ?? [],
    root: flags.root ?? false,
  });
  if (!parsed.success)
    throw new ConfigError(parsed.error.issues.map(({ path, message }) => `${optionOf(path)}: ${message}`).join('\n'), {
      hint: 'harness run --help says what each option takes',
    });
  return { ...parsed.data, name: nameOf(folder), folder, commandLine: true };
}

/** `tap`, or `junit:report.xml`, as suite.yaml has it. */
function resultsOf(text: string | undefined): unknown {
  if (text === undefined) return 'exit';
  const colon = text.indexOf(':');
  return colon < 0 ? text : { [text.slice(0, colon)]: text.slice(colon + 1) };
}

/** The option that a part of a suite is from. */
function optionOf(path: readonly PropertyKey[]): string {
  const [first, second, third] = path.map(String);
  if (first === 'stack') return '--packages';
  if (first === 'machine') return `--${second}`;
  if (first === 'tests') return third === 'seconds' ? '--timeout' : `--${third}`;
  return `--${first}`;
}

/** The name of a cell's suite: that of the folder, as far as its characters can be in a name. */
function nameOf(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 40);
  return name === '' ? 'command' : name;
}
