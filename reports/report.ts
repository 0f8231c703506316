import type { RunResult } from '../harness/events/result.ts';
import type { SinceWhen } from './since.ts';

/** Context of a report besides the run. */
export interface ReportPlace {
  /** The run's folder relative to the repository's root, with `/`: where CI services look for attachments. */
  readonly folder: string;
  /** Answers of earlier runs about a failure; absent: unknown. */
  readonly since?: SinceWhen;
}

export interface ReportFile {
  /** Relative to the run's folder, with `/`. */
  readonly path: string;
  /** In pieces where it may be more than one string can hold. */
  readonly content: string | Uint8Array | Iterable<string>;
}

/** A report format. */
export interface Report {
  /** As `--report` takes it. */
  readonly name: string;
  /** The file or folder that it writes, relative to the run's folder. */
  readonly path: string;
  /** Its purpose, as a noun phrase for lists. */
  readonly about: string;
  /** Written for every run, not only on request. */
  readonly always?: true;
  /** It has only benchmarks, so `harness export` prints it too. */
  readonly benchmarks?: true;
  /** Its files for this run, for a sentence, where these depend on it. */
  pathFor?(run: RunResult): string;
  /** One at a time is made and written. */
  files(run: RunResult, place: ReportPlace): Iterable<ReportFile>;
}

/** A report that is one file. */
export function oneFile({
  render,
  ...report
}: Omit<Report, 'files' | 'pathFor'> & {
  readonly render: (run: RunResult, place: ReportPlace) => ReportFile['content'];
}): Report {
  return {
    ...report,
    *files(run, place) {
      yield { path: report.path, content: render(run, place) };
    },
  };
}

/** The default path of a run's folder. */
export function usualPlace({ run }: RunResult): ReportPlace {
  return { folder: `.harness/runs/${run}` };
}
