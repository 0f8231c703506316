import { z } from 'zod';
import { FIRMWARE_NAMES } from '../../arch/index.ts';
import { RESULTS_FORMATS, type ResultsFormatName } from '../../results/index.ts';
import { stackShape, stackTimeouts } from '../../stacks/shapes.ts';
import {
  archField,
  argvField,
  debianPackage,
  durationSeconds,
  kernelModule,
  madePath,
  mebibytes,
  nameField,
  plainFile,
  portField,
  retriesField,
  stackFile,
} from '../../yaml/fields.ts';
import { softwareBuild } from './software.ts';

/** A condition for scenarios to start, retried until its deadline. */
const readyCheck = z
  .strictObject({
    name: z.string().min(1).optional(),
    http: z
      .strictObject({ port: nameField, path: z.string().startsWith('/').default('/'), status: z.int().default(200) })
      .optional(),
    tcp: nameField.optional().describe('A named port that accepts a connection.'),
    command: argvField.optional().describe('A command on the target that exits with 0; a string goes through sh.'),
    seconds: durationSeconds.default(10).describe('Native seconds after which it counts as failed.'),
  })
  .refine(
    (check) => [check.http, check.tcp, check.command].filter((kind) => kind !== undefined).length === 1,
    'expected exactly one of http, tcp, command',
  );

/** A step of a deployment: a command, or a condition that is awaited. */
const stackCommand = z.union([
  argvField.transform((run): { run: typeof run; name?: string; seconds?: number } => ({ run })),
  z.strictObject({
    name: z
      .string()
      .min(1)
      .max(100)
      .exactOptional()
      .describe('How the step is called in reports. Default: the command.'),
    run: argvField.describe('A command on the target; a string goes through sh.'),
    seconds: durationSeconds.exactOptional().describe('Native seconds that it may take. Default: timeouts.command.'),
  }),
  z.strictObject({ await: readyCheck.describe('A condition that the deployment waits for.') }),
]);

/** A kernel and a ramdisk for each architecture of blank nodes. */
const ramdisk = z
  .strictObject({
    path: z
      .string()
      .regex(/^\/[^\0]*[^/\0]$/, 'expected an absolute path')
      .describe('The folder on the machines: `<path>/amd64/linux` and `<path>/amd64/initrd`, and so on.'),
    packages: z
      .array(debianPackage)
      .default([])
      .describe('Debian packages, unpacked with their dependencies, beside busybox.'),
    without: z.array(debianPackage).default([]).describe('Packages to leave out, with what only they need.'),
    files: z.array(plainFile).describe('One of them is `/init`, the first program that runs.'),
  })
  .refine(({ files }) => files.some(({ path }) => path === '/init'), {
    path: ['files'],
    error: 'expected /init among the files: the first program that runs',
  });

/** A path or a glob below the source folder. */
const artifactPattern = z
  .string()
  .min(1)
  .max(500)
  .refine(
    (path) => !path.startsWith('/') && !path.split('/').includes('..'),
    'expected a path below the source folder: relative, and without ".."',
  );

const resultsPattern = madePath.refine(
  (path) => !/^!|\/$/.test(path),
  'expected files, such as report.xml or reports/*.xml',
);

const resultsFormats = Object.keys(RESULTS_FORMATS) as [ResultsFormatName, ...ResultsFormatName[]];

/** Where a command's results are: in its output, or in files that it writes. */
const commandResults = z.union([
  z.enum(['exit', ...resultsFormats]),
  z
    .partialRecord(z.enum(resultsFormats), resultsPattern)
    .refine(
      (files) => Object.keys(files).length === 1,
      'expected one format and its file, such as { junit: report.xml }',
    ),
]);

/** A command whose exit code is a test, or whose results are tests. */
const commandTest = z.strictObject({
  run: argvField.describe('The command, run in the source folder without a shell; a string goes through sh.'),
  name: z.string().min(1).max(200).optional().describe('Its name in reports. Default: the command.'),
  results: commandResults
    .default('exit')
    .describe(
      'Where its test results are: in its output (`tap`), or in files that it writes (`{ junit: "build/*.xml" }`), relative to the source folder or absolute. `exit`: the command is one test, which passes with 0.',
    ),
  seconds: durationSeconds.optional().describe('Time limit in native seconds. Default: timeouts.test, else 600.'),
});

/** A suite: a stack, what it needs of a target, and how long things may take. */
export const suiteSchema = z
  .strictObject({
    name: nameField.optional().describe("Checked against the folder's name."),
    description: z.string().optional(),
    arch: z.array(archField).min(1).optional().describe('Architectures that the suite makes sense on. Default: all.'),
    needs: z
      .array(
        z.union([
          z.enum(['system', 'root', 'power', 'network', 'docker']),
          z.strictObject({ 'kernel-modules': z.array(kernelModule).min(1) }),
          z.strictObject({ tags: z.array(nameField).min(1) }),
        ]),
      )
      .default([])
      .describe('What a target must have, checked before anything starts.'),
    machine: z
      .strictObject({
        vcpus: z.int().min(1).max(16).default(1),
        memory: mebibytes.default(512).describe('MiB of memory.'),
        disk: mebibytes.default(2048).describe('MiB of disk.'),
        identity: z
          .enum(['own', 'kept'])
          .default('own')
          .describe('Whether a machine resumed from a snapshot gets a new machine id or keeps the saved one.'),
        timers: z
          .enum(['coarse', 'fine'])
          .default('coarse')
          .describe(
            'Resolution of the timers of an emulated machine: coarse, its tick of some milliseconds, makes programs that sleep for microseconds much cheaper; fine is that of a real machine.',
          ),
      })
      .prefault({}),
    nodes: z
      .record(
        nameField,
        z.strictObject({
          arch: archField.optional().describe("Default: the cell's own; in a mixed cell, its architectures in order."),
          blank: z
            .strictObject({
              disk: mebibytes.default(8192).describe('MiB of its empty disk.'),
              memory: mebibytes.default(1024).describe('MiB of its memory.'),
              firmware: z
                .enum(FIRMWARE_NAMES)
                .optional()
                .describe(
                  'What it starts with. Default: what is usual on its architecture; ppc64le has petitboot, the others uefi.',
                ),
            })
            .optional()
            .describe(
              'A machine without a system: switched off, its disk empty, it boots from the network (docs/bare-metal.md).',
            ),
        }),
      )
      .default({})
      .describe(
        'The machines of a cluster, each on a private network: with the whole stack, or blank. Default: one machine.',
      ),
    stack: z
      .strictObject({
        ...stackShape,
        files: z.array(stackFile).default([]).describe('Files, built into the image.'),
        build: z
          .array(z.union([argvField, softwareBuild]))
          .default([])
          .describe(
            'Commands run in the image once, when it is made: as root, with the packages installed and nothing started; a string goes through sh. An entry with `source` makes software from source; its files are there before any command runs.',
          ),
        ramdisks: z
          .array(ramdisk)
          .default([])
          .describe('What blank nodes boot from the network: kernels and ramdisks on the disks of the other machines.'),
        commands: z
          .array(stackCommand)
          .default([])
          .describe('Run on the target after boot, in order; a string goes through sh.'),
        ports: z
          .record(nameField, portField)
          .default({})
          .describe('TCP ports by name, forwarded to the controller: stack.url("http").'),
        ready: z.array(readyCheck).default([]),
        afterwards: z
          .strictObject({
            packages: z.enum(['stay', 'remove']).default('stay'),
            services: z.enum(['stop', 'stay']).default('stop'),
            files: z.enum(['restore', 'stay']).default('restore'),
          })
          .prefault({})
          .describe('What to undo on a machine that outlives the run: packages it did not have, services, files.'),
      })
      .prefault({}),
    source: z
      .union([
        z.string().min(1).describe("A folder, relative to the suite's: the files that git tracks or does not ignore."),
        z
          .strictObject({ debian: debianPackage.describe('The name of a source package.') })
          .describe("The upstream source in a Debian source package, without Debian's patches."),
      ])
      .optional()
      .describe('The source to copy to the machine before `setup`. Later runs send only changes.'),
    setup: z
      .array(argvField)
      .default([])
      .describe(
        'Commands run in the source folder once, before the snapshot; run again when a file that they read has changed. A string goes through sh.',
      ),
    tests: z
      .array(commandTest)
      .default([])
      .describe('Test commands, run in order; each runs even if earlier ones failed.'),
    artifacts: z
      .array(artifactPattern)
      .default([])
      .describe('Files to copy back after the tests, passed or not: paths or globs below the source folder.'),
    root: z.boolean().default(false).describe('Run `setup` and `tests` as root, not as an ordinary user.'),
    timeouts: z
      .strictObject({
        boot: durationSeconds.default(15),
        command: durationSeconds.default(30),
        ...stackTimeouts,
        setup: durationSeconds.default(600).describe('For each command of `setup`.'),
        test: durationSeconds.optional().describe('Default: 10 for a scenario, 600 for a command of `tests`.'),
        benchmark: durationSeconds.default(30),
      })
      .prefault({})
      .describe("In native seconds: multiplied by the target's measured slowness."),
    isolate: z
      .enum(['none', 'file', 'test'])
      .default('none')
      .describe('Reset the machines to their state after deployment before each file or each test.'),
    evidence: z
      .array(argvField)
      .default([])
      .describe(
        'Commands whose output explains a failure, run on each machine of a cell that failed; a string goes through sh.',
      ),
    retries: retriesField
      .default({})
      .describe(
        "Further attempts, each of which is kept: `2` for tests that fail, or `{ infra: 1, emulator: 1, test: 0 }`. Keys left out take the matrix's values.",
      ),
  })
  .meta({ id: 'suite', title: 'harness suite' });

export type SuiteConfig = z.output<typeof suiteSchema>;
