import { basename, resolve } from 'node:path';
import { ConfigError } from '../../base/errors.ts';
import { splitList } from '../../base/split-list.ts';
import { suiteSchema } from '../schema/suite.ts';
import type { Suite } from '../suite.ts';

/** The options of a command line that make a suite of a command. */
export interface CommandFlags {
  /** argv of the command after `--`. */
  readonly command: readonly string[];
  readonly packages?: readonly string[] | undefined;
  /** Shell commands, run once before the snapshot. */
  readonly setup?: readonly string[] | undefined;
  /** `tap`, or `junit:report.xml`. */
  readonly results?: string | undefined;
  readonly artifacts?: readonly string[] | undefined;
  /** A folder; `false`: none is copied; absent: the current folder. */
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

/** A compiler needs more than a service. */
const MACHINE = { memory: 1024, disk: 4096 } as const;

/**
 * The suite of a command line: its command as the one test, in a machine with its packages and a copy of its folder.
 * @throws ConfigError naming the wrong option.
 */
export function commandSuite(flags: CommandFlags, cwd: string): Suite {
  const folder = resolve(cwd, flags.source === false || flags.source === undefined ? '.' : flags.source);
  const [first = ''] = flags.command;
  if (first === '')
    throw new ConfigError('there is no command after --', { hint: 'harness run --arch arm64 -- make check' });
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

/** The option behind a part of a suite. */
function optionOf(path: readonly PropertyKey[]): string {
  const [first, second, third] = path.map(String);
  if (first === 'stack') return '--packages';
  if (first === 'machine') return `--${second}`;
  if (first === 'tests') return third === 'seconds' ? '--timeout' : `--${third}`;
  return `--${first}`;
}

/** The suite's name in cells: that of the folder, without characters that a name cannot have. */
function nameOf(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 40);
  return name === '' ? 'command' : name;
}
