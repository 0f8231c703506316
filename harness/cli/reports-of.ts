import { type Report, type ReportPlace, reportsNamed, usualPlace } from '../../reports/index.ts';
import { splitList } from '../base/split-list.ts';
import type { RunResult } from '../events/result.ts';
import { pathsInRepository } from '../run/schedule/repository.ts';

export interface ReportFlags {
  readonly report?: string[];
}

/** The additional reports of a command line. @throws ConfigError for an unknown name. */
export function reportsOf({ report }: ReportFlags): Report[] {
  return reportsNamed(splitList(report));
}

/** Path of a run's folder in the project's repository. */
export async function placeOf(project: string, run: RunResult, folder: string): Promise<ReportPlace> {
  const place = (await pathsInRepository(project))(folder);
  return place === undefined ? usualPlace(run) : { folder: place };
}
