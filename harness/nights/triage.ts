import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import picomatch from 'picomatch';
import { parse } from 'yaml';
import { z } from 'zod';
import { ConfigError, messageOf } from '../base/errors.ts';
import type { Night } from './night.ts';
import type { ChangeGroup } from './trends.ts';

/** The file of a history with people's judgements of its findings. */
export const TRIAGE = 'triage.yaml';

/** `acknowledged`: somebody is looking into it; `expected`: it will stay; `fixed`: it is gone with the next night. */
export const TRIAGE_STATES = ['acknowledged', 'expected', 'fixed'] as const;

const entry = z
  .strictObject({
    state: z.enum(TRIAGE_STATES),
    /** A cell, or a pattern as for `--only`. */
    cell: z.string(),
    /** One of them by name; without either, the cell itself. */
    benchmark: z.string().optional(),
    test: z.string().optional(),
    /** Applies only to findings that began in that night or before; later ones are new. */
    until: z.iso.date().optional(),
    note: z.string().optional(),
  })
  .refine(({ state, until }) => state !== 'fixed' || until !== undefined, {
    error: 'what is fixed needs until: what begins later is new',
  });
export type Triage = z.infer<typeof entry>;

/** The subject of an entry: a cell, or a benchmark or test of it. */
export interface Finding {
  readonly cell: string;
  readonly benchmark?: string;
  readonly test?: string;
  /** ISO 8601: the first night that has it. */
  readonly since: string;
}

/** The triage of a history; empty if there is no such file. @throws ConfigError for an invalid one. */
export async function readTriage(history: string): Promise<readonly Triage[]> {
  const file = join(history, TRIAGE);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new ConfigError(`cannot read ${file}: ${messageOf(error)}`, { cause: error });
  });
  if (text === undefined) return [];
  const hint = `A list of entries: { state: ${TRIAGE_STATES.join(' | ')}, cell: NAME, benchmark: NAME, test: NAME, until: YYYY-MM-DD, note: WHY }`;
  let data: unknown;
  try {
    // A date is text here; the schema checks it.
    data = parse(text, { schema: 'core' });
  } catch (cause) {
    throw new ConfigError(`cannot read ${file}: ${messageOf(cause)}`, { cause, hint });
  }
  const parsed = z.array(entry).nullable().safeParse(data);
  if (!parsed.success) throw new ConfigError(`cannot read ${file}: ${z.prettifyError(parsed.error)}`, { hint });
  return parsed.data ?? [];
}

/** The judgement of a finding: the last entry about it. */
export function triageOf(triage: readonly Triage[], finding: Finding): Triage | undefined {
  return triage.findLast(
    (one) =>
      one.benchmark === finding.benchmark &&
      one.test === finding.test &&
      (one.until === undefined || finding.since.slice(0, 10) <= one.until) &&
      picomatch.isMatch(finding.cell, one.cell),
  );
}

/** The judgement of a change: that of its clearest benchmark. */
export function triageOfChange(
  triage: readonly Triage[],
  { members, first }: ChangeGroup,
  nights: readonly Night[],
): Triage | undefined {
  const [{ trend }] = members as [ChangeGroup['members'][number]];
  const { cell, name } = trend.series;
  return triageOf(triage, { cell, benchmark: name, since: nights[first]!.startedAt });
}
