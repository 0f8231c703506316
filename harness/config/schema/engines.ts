import { z } from 'zod';
import { expectedOneOf } from '../../base/nearest.ts';
import { type EngineKind, engineKindNames, engineKinds } from '../../engines/kinds.ts';
import { archField, nameField } from '../../yaml/fields.ts';

/** What `machines.yaml` may say of an engine of any kind. */
const common = {
  shared: z
    .string()
    .regex(/^(?:\/|~\/|\$)/, 'expected an absolute path; $VARIABLES and ~/ are replaced')
    .describe('A folder that this machine and every node have under the same path: runs and working trees go there.'),
  arch: z
    .partialRecord(archField, z.string())
    .default({})
    .describe("Which nodes a cell's architecture needs, in the engine's words; absent: any node, which emulates it."),
  options: z
    .array(z.string().min(1))
    .default([])
    .describe('Options of its submit command, passed on: partition, account, quality of service, priority.'),
  setup: z.string().min(1).optional().describe('A shell command on the node, before each cell: module load node/24.'),
  harness: z
    .string()
    .min(1)
    .optional()
    .describe('How a node calls the harness, as a shell reads it; default: this one, by its path.'),
  cache: z
    .string()
    .min(1)
    .optional()
    .describe('A remote cache of images for the nodes: file:///folder, oci://registry/name or command:PROGRAM.'),
  'cache-put': z
    .boolean()
    .default(true)
    .describe('Whether nodes put what they build there; false for runs of changes that nobody has read.'),
  minutes: z
    .number()
    .positive()
    .max(100_000)
    .optional()
    .describe('Time limit of a job; default: limits.cell-minutes and 30 minutes for images.'),
  'poll-seconds': z
    .number()
    .min(0.2)
    .max(600)
    .default(2)
    .describe('How often the engine is asked what is alive, and files are read.'),
};

function ofKind(kind: EngineKind) {
  const own: object = engineKinds[kind].fields;
  return z.strictObject({ kind: z.literal(kind), ...common, ...own });
}

const [first, ...others] = engineKindNames;

/** Engines that run cells on many machines, by name. */
export const enginesField = z
  .record(
    nameField,
    z.discriminatedUnion('kind', [ofKind(first), ...others.map(ofKind)], {
      error: ({ code }) => (code === 'invalid_union' ? expectedOneOf(engineKindNames) : undefined),
    }),
  )
  .default({})
  .describe('Engines for `harness run --on NAME`: cells become their jobs.');

/** An engine of an inventory. */
export type EngineConfig = z.output<typeof enginesField>[string];
