import { z } from 'zod';
import { DEFAULT_RELEASE } from '../../releases/index.ts';
import {
  archField,
  cellArchField,
  globField,
  nameField,
  releaseField,
  retriesField,
  targetField,
} from '../../yaml/fields.ts';

const oneOrMoreReleases = z.union([releaseField, z.array(releaseField).min(1)]);

const selector = z
  .strictObject({
    arch: z.union([cellArchField, z.array(cellArchField).min(1)]).optional(),
    target: z.union([targetField, z.array(targetField).min(1)]).optional(),
    suite: z.union([nameField, z.array(nameField).min(1)]).optional(),
    release: oneOrMoreReleases.optional(),
  })
  .refine(
    (entry) => Object.keys(entry).length > 0,
    'expected at least one of arch, target, suite, release: an empty entry matches everything',
  );

/** A matrix: which suites run on which architectures and kinds of target. */
export const matrixSchema = z
  .strictObject({
    name: nameField.optional().describe("Shown in reports; the file's name without its ending when absent."),
    description: z.string().optional(),
    arch: z
      .array(cellArchField)
      .min(1)
      .describe(
        'Architectures, in any usual spelling: amd64, x86_64, arm64, aarch64, ppc64le, ppc64el. Joined by + for the nodes of a cluster: amd64+arm64+ppc64le.',
      ),
    target: z
      .union([z.array(targetField).min(1), z.strictObject({ each: z.array(targetField).min(1) })])
      .default(['vm'])
      .describe(
        'Kinds of target, the preferred one first: a cell takes the first that there is for its architecture and that has what its suite needs. `{ each: [vm, container] }` makes a cell for every kind.',
      ),
    suite: z.array(nameField).min(1).describe('Suites: folders below suites/ that hold a suite.yaml.'),
    release: oneOrMoreReleases
      .optional()
      .describe('The same as images.release, as it reads best in a matrix of several: [trixie, bookworm].'),
    control: archField
      .default('amd64')
      .describe('The architecture that timings are divided by and failures are compared with.'),
    include: z
      .array(
        z.strictObject({
          arch: cellArchField,
          target: targetField,
          suite: nameField,
          release: releaseField.optional().describe('Default: a cell of each release of the matrix.'),
        }),
      )
      .default([])
      .describe('Cells beside those that arch × target × suite × release makes.'),
    exclude: z
      .array(selector)
      .default([])
      .describe('Cells to leave out: an entry matches the cells that agree with all of its keys.'),
    'non-voting': z
      .array(globField)
      .default([])
      .describe(
        'Globs on the name of a cell (arch/target/suite, or arch/target/suite@release): they run and are shown, and do not decide the exit code.',
      ),
    retries: retriesField
      .default({})
      .describe(
        'Further attempts, each of which is kept; what a suite says counts for its cells. Default: { infra: 1, emulator: 1, test: 0 }.',
      ),
    limits: z
      .strictObject({
        jobs: z.int().min(1).max(64).optional().describe('Cells at once. Default: as many as memory and cores allow.'),
        minutes: z.number().positive().max(1440).default(60).describe('The whole run may take this long.'),
        'cell-minutes': z
          .number()
          .positive()
          .max(1440)
          .default(30)
          .describe('One cell may take this long, images not counted.'),
        'control-minutes': z
          .number()
          .min(0)
          .max(1440)
          .default(10)
          .describe(
            'Trying failed tests again, on the control architecture and where they failed, may take this long.',
          ),
        scale: z
          .number()
          .min(1)
          .max(100)
          .optional()
          .describe('Multiplies every deadline; measured in each guest when absent.'),
        'snapshots-gib': z
          .number()
          .min(0)
          .default(10)
          .describe('GiB of disk for snapshots of deployed machines; those used longest ago go first.'),
        'source-mib': z
          .int()
          .min(1)
          .max(2048)
          .default(256)
          .describe('MiB that the source of a suite may have that is copied to machines.'),
      })
      .prefault({}),
    images: z
      .strictObject({
        mirror: z
          .url({ protocol: /^https?$/, error: 'expected an http or https address' })
          .default('http://deb.debian.org/debian')
          .describe("Debian's archive."),
        release: oneOrMoreReleases
          .optional()
          .describe(
            `Debian release of the guests and container images; of several, each makes cells. Default: ${DEFAULT_RELEASE}.`,
          ),
        'refresh-hours': z
          .number()
          .min(0)
          .default(24)
          .describe('Package lists older than this are fetched again; a newer package makes a new image.'),
        'build-memory': z
          .int()
          .min(128)
          .default(1536)
          .describe('MiB that everything that is run while packages are installed in an image may take together.'),
        'build-minutes': z
          .number()
          .positive()
          .default(120)
          .describe('Minutes that installing the packages of an image may take.'),
      })
      .prefault({}),
  })
  .refine(({ release, images }) => release === undefined || images.release === undefined, {
    path: ['release'],
    message: 'expected it either here or in images, not in both',
  })
  .meta({ id: 'matrix', title: 'harness matrix' });

export type MatrixConfig = z.output<typeof matrixSchema>;
