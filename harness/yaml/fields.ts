import { z } from 'zod';
import { type ArchName, architectures, archNames, type CellArch, findArch, findCellArch } from '../arch/index.ts';
import { quote } from '../base/quote.ts';
import { releaseNames } from '../releases/index.ts';
import { targetKinds } from '../targets/kinds.ts';

/** Every spelling of every architecture, for suggestions. */
export const archSpellings: readonly string[] = Object.values(architectures).flatMap((arch) => [
  arch.name,
  ...arch.aliases,
]);

/** An architecture in any usual spelling, normalised. */
export const archField = z
  .string()
  .transform((spelling, context): ArchName => {
    const arch = findArch(spelling);
    if (arch) return arch.name;
    context.addIssue({
      code: 'custom',
      message: `unknown architecture ${quote(spelling)}`,
      params: { among: archNames, words: archSpellings },
    });
    return z.NEVER;
  })
  .meta({ enum: [...new Set([...archNames, ...archSpellings])] });

/** A cell's architecture, or `amd64+arm64` for a mixed cluster. */
export const cellArchField = z
  .string()
  .transform((spelling, context): CellArch => {
    const arch = findCellArch(spelling);
    if (arch) return arch;
    const wrong = spelling.split('+').find((part) => findArch(part) === undefined) ?? spelling;
    context.addIssue({
      code: 'custom',
      message: `unknown architecture ${quote(wrong)}`,
      params: { among: archNames, words: archSpellings, word: wrong },
    });
    return z.NEVER;
  })
  .meta({ anyOf: [{ enum: [...new Set([...archNames, ...archSpellings])] }, { pattern: '\\+' }] });

/** A kind of target that a matrix can name. */
export const targetField = z.enum(targetKinds);

export const releaseField = z.enum(releaseNames);

export const nameField = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'expected lower-case letters, digits, ".", "_" and "-", at most 63');

export const globField = z.string().min(1).max(200);

export const absolutePath = z
  .string()
  .regex(/^\/[^\0]*$/, 'expected an absolute path')
  .refine((path) => !path.split('/').includes('..'), 'expected a path without ".."');

/** A file that a command makes: below the source folder that it runs in, or anywhere on its system. */
export const madePath = z
  .string()
  .min(1)
  .max(500)
  .refine(
    (path) => !path.split('/').includes('..'),
    'expected a path without "..", relative to the source folder or absolute',
  );

/** Debian policy 5.6.1: lower case, digits, plus, minus, dot; at least two characters. Not ending in a minus, which apt would read as "remove". */
export const debianPackage = z
  .string()
  .regex(/^[a-z0-9][a-z0-9+.-]*[a-z0-9+.]$/, 'expected the name of a Debian package');

export const kernelModule = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]*$/, 'expected the name of a kernel module')
  // The kernel's own names have underscores; people write either.
  .transform((name) => name.replaceAll('-', '_'));

/** How often each kind of failure is retried; a number alone is for tests. */
const times = z.int().min(0).max(5);
export const retriesField = z.union([
  times.transform((test) => ({ test })),
  z.strictObject({
    infra: times.exactOptional().describe('Retries, on a fresh machine, of a cell whose machine fails. Default: 1.'),
    emulator: times
      .exactOptional()
      .describe('Retries, on a fresh machine, of a cell whose emulator fails. Default: 1.'),
    test: times.exactOptional().describe('Retries, on the same machine, of a test that fails. Default: 0.'),
  }),
]);

export const portField = z.int().min(1).max(65535);
export const mebibytes = z.int().min(64).max(1_048_576);
export const durationSeconds = z.number().positive().max(86_400);

/** A command: a string goes through sh, a list is its argv. */
export const argvField = z.union([z.string().min(1), z.array(z.string()).min(1)]);

const octalMode = z
  .string({
    // YAML 1.2 reads 0644 as the number 644, and 0o644 as 420.
    error: ({ input }) => (typeof input === 'number' ? 'expected an octal mode in quotes, such as "0644"' : undefined),
  })
  .regex(/^[0-7]?[0-7]{3}$/, 'expected an octal mode such as "0644"');

const fileShape = {
  path: absolutePath.describe('Its path on the target.'),
  from: z
    .string()
    .min(1)
    .optional()
    .describe(
      "A file in the suite's folder, or in a folder beside it whose name begins with `_`: `../_shared/a.conf`.",
    ),
  content: z.string().optional(),
};

/** A file of a container image, which is root's. */
export const plainFile = z
  .strictObject({ ...fileShape, mode: octalMode.default('0644') })
  .refine((file) => (file.from === undefined) !== (file.content === undefined), 'expected either from or content');

const account = z
  .string()
  .regex(/^(?:[a-z_][a-z0-9_-]*\$?|\d+)$/, 'expected the name of a user or group, or its number in quotes')
  .optional();

/** What a file of the stack may be; exactly one of them. */
const FILE_KINDS = ['from', 'content', 'folder', 'link', 'absent'] as const;

/** A file of the stack: from the suite's folder, or written out here; a folder, a link, or what is not to be there. */
export const stackFile = z
  .strictObject({
    ...fileShape,
    folder: z.literal(true).optional().describe('A folder, made where there is none.'),
    link: z.string().min(1).optional().describe('A symbolic link, and where it leads.'),
    absent: z.literal(true).optional().describe('It is removed, with what is in it.'),
    mode: octalMode.optional().describe('Default: "0644", of a folder "0755".'),
    build: z.literal(true).optional().describe('It is there while `build` runs, which runs again when it changes.'),
    owner: account.describe('A user that a package of the stack brings. Default: root.'),
    group: account.describe('Default: root.'),
  })
  .refine(
    (file) => FILE_KINDS.filter((kind) => file[kind] !== undefined).length === 1,
    `expected exactly one of ${FILE_KINDS.join(', ')}`,
  )
  .refine(
    ({ link, absent, mode, owner, group }) =>
      (link ?? absent) === undefined || [mode, owner, group].every((one) => one === undefined),
    'expected no mode, owner or group of a link, or of what is absent',
  )
  .refine(
    ({ path, absent }) => !absent || path.split('/').filter((part) => part !== '' && part !== '.').length > 1,
    'expected a path below one of the top folders: all that is in it is removed',
  );
