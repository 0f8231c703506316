import { type Report, type ReportPlace, reportsNamed, usualPlace } from '../../reports/index.ts';
import { splitList } from '../base/split-list.ts';
import type { RunResult } from '../events/result.ts';
import { pathsInRepository } from '../run/schedule/repository.ts';

export interface ReportFlags {
  readonly report?: string[];
}

/** The reports that a command line asks for, beside the usual ones. @throws ConfigError for a name that none has. */
export function reportsOf({ report }: ReportFlags): Report[] {
  return reportsNamed(splitList(report));
}

/** Where a run's folder is in the repository that the project is in. */
export async function placeOf(project: string, run: RunResult, folder: string): Promise<ReportPlace> {
  const place = (await pathsInRepository(project))(folder);
  return place === undefined ? usualPlace(run) : { folder: place };
}
