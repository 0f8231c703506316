import { z } from 'zod';
import { archField, globField, targetField } from '../../yaml/fields.ts';

const oneOrMore = <T extends z.ZodType>(field: T) => z.union([field, z.array(field).min(1)]);

const quarantineEntry = z
  .strictObject({
    test: z
      .string()
      .min(1)
      .max(500)
      .optional()
      .describe('Glob on the full name of a test (`describe > test`), or on `file > name`. Default: the whole cell.'),
    cell: globField.optional().describe('Glob on the name of a cell, as for --only. Default: every cell.'),
    arch: oneOrMore(archField).optional().describe('Only on these architectures.'),
    target: oneOrMore(targetField).optional().describe('Only on these kinds of target.'),
    link: z
      .url({ protocol: /^https?$/, error: 'expected an http or https address' })
      .describe('Where the failure is tracked.'),
    owner: z.string().min(1).max(200).optional().describe('The person responsible.'),
    expires: z.iso
      .date('expected a day such as 2026-12-31')
      .describe('The last day, in UTC, on which it does not vote; from the next day it is red again.'),
  })
  .refine(
    ({ test, cell }) => test !== undefined || cell !== undefined,
    'expected test or cell: an entry without either would match everything',
  );

/** Known failures, and the last day on which each does not vote. */
export const quarantineSchema = z.array(quarantineEntry).meta({ id: 'quarantine', title: 'harness quarantine' });
