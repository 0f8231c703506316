import type { RunResult } from '../harness/events/result.ts';
import type { SinceWhen } from './since.ts';

/** What a report is told beside the run itself. */
export interface ReportPlace {
  /** The run's folder, with `/`, as it is seen from the repository's root: where CI services look for attachments. */
  readonly folder: string;
  /** What earlier runs say about a failure; absent: nobody looked. */
  readonly since?: SinceWhen;
}

export interface ReportFile {
  /** Relative to the run's folder, with `/`. */
  readonly path: string;
  readonly content: string | Uint8Array;
}

/** A format that a run can be written in. */
export interface Report {
  /** As `--report` takes it. */
  readonly name: string;
  /** The file or folder that it writes, relative to the run's folder. */
  readonly path: string;
  /** What it is for, as a noun phrase for lists. */
  readonly about: string;
  /** Written for every run, and not only where it is asked for. */
  readonly always?: true;
  /** It holds a run's benchmarks and nothing else, so that `harness export` prints it too. */
  readonly benchmarks?: true;
  files(run: RunResult, place: ReportPlace): Iterable<ReportFile>;
}

/** A report that is one file. */
export function oneFile({
  render,
  ...report
}: Omit<Report, 'files'> & {
  readonly render: (run: RunResult, place: ReportPlace) => string | Uint8Array;
}): Report {
  return {
    ...report,
    *files(run, place) {
      yield { path: report.path, content: render(run, place) };
    },
  };
}

/** Where a run's folder is unless somebody knows better. */
export function usualPlace({ run }: RunResult): ReportPlace {
  return { folder: `.harness/runs/${run}` };
}
