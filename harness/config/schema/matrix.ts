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
    name: nameField.optional().describe("Shown in reports. Default: the file's name without its extension."),
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
        'Kinds of target, the preferred one first: a cell takes the first that is available for its architecture and meets the needs of its suite. `{ each: [vm, container] }` makes a cell for every kind.',
      ),
    suite: z.array(nameField).min(1).describe('Suites: folders below suites/ that contain a suite.yaml.'),
    release: oneOrMoreReleases
      .optional()
      .describe('The same as images.release; reads better with several: [trixie, bookworm].'),
    control: archField
      .default('amd64')
      .describe('The architecture that timings are divided by and failures are compared with.'),
    include: z
      .array(
        z.strictObject({
          arch: cellArchField,
          target: targetField,
          suite: nameField,
          release: releaseField.optional().describe('Default: one cell for each release of the matrix.'),
        }),
      )
      .default([])
      .describe('Cells in addition to those of arch × target × suite × release.'),
    exclude: z
      .array(selector)
      .default([])
      .describe('Cells to leave out: an entry matches the cells that match all of its keys.'),
    'non-voting': z
      .array(globField)
      .default([])
      .describe(
        'Globs on the names of cells (arch/target/suite, or arch/target/suite@release) that run and are shown, but do not decide the exit code.',
      ),
    retries: retriesField
      .default({})
      .describe(
        'Further attempts, each of which is kept; a suite can override this for its cells. Default: { infra: 1, emulator: 1, test: 0 }.',
      ),
    limits: z
      .strictObject({
        jobs: z.int().min(1).max(64).optional().describe('Cells at once. Default: as many as memory and cores allow.'),
        minutes: z.number().positive().max(1440).default(60).describe('Time limit of the whole run.'),
        'cell-minutes': z
          .number()
          .positive()
          .max(1440)
          .default(30)
          .describe('Time limit of one cell, not counting images.'),
        'control-minutes': z
          .number()
          .min(0)
          .max(1440)
          .default(10)
          .describe('Time limit of re-running failed tests, on the control architecture and where they failed.'),
        attempts: z
          .int()
          .min(1)
          .max(10)
          .default(3)
          .describe('On an engine: how often a cell is submitted if its node is lost, or it has no result.'),
        scale: z
          .number()
          .min(1)
          .max(100)
          .optional()
          .describe('Multiplies every deadline. Default: measured in each guest.'),
        'snapshots-gib': z
          .number()
          .min(0)
          .default(10)
          .describe('GiB of disk for snapshots of deployed machines; the least recently used are removed first.'),
        'source-mib': z
          .int()
          .min(1)
          .max(2048)
          .default(256)
          .describe('Largest size, in MiB, of a source folder that is copied to machines.'),
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
            `Debian release of the guests and container images; with several, each makes its own cells. Default: ${DEFAULT_RELEASE}.`,
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
          .describe('MiB of memory for all processes that install packages in an image, together.'),
        'build-minutes': z
          .number()
          .positive()
          .default(120)
          .describe('Time limit, in minutes, for installing the packages of an image.'),
      })
      .prefault({}),
  })
  .refine(({ release, images }) => release === undefined || images.release === undefined, {
    path: ['release'],
    message: 'expected it either here or in images, not in both',
  })
  .meta({ id: 'matrix', title: 'harness matrix' });

export type MatrixConfig = z.output<typeof matrixSchema>;
