import type { Origin, Verdict } from './types.ts';

/** A row of the health table: a cell in the form of a job in a CI's dashboard. */
export interface Job {
  /** The cell's name. */
  readonly job: string;
  readonly voting: boolean;
  readonly project?: string;
  readonly branch?: string;
  readonly pipeline?: string;
  /** The change that was tested, else the commit. */
  readonly change?: string;
  readonly durationMs: number;
  /** ISO 8601, UTC; absent: it never began. */
  readonly startedAt?: string;
  readonly result: Verdict;
}

/** The part of a run that the table needs; {@link RunResult} and the history's nights have it. */
interface JobsOf {
  readonly origin?: Origin;
  readonly git?: { readonly sha: string };
  readonly cells: readonly {
    readonly name: string;
    readonly voting: boolean;
    readonly verdict: Verdict;
    readonly startedAt?: string;
    readonly durationMs: number;
  }[];
}

/** The cells of a run as jobs, in the order of the plan. */
export function jobsOf({ origin = {}, git, cells }: JobsOf): Job[] {
  const { project, branch, pipeline, change = git?.sha.slice(0, 10) } = origin;
  const shared = {
    ...(project === undefined ? {} : { project }),
    ...(branch === undefined ? {} : { branch }),
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(change === undefined ? {} : { change }),
  };
  return cells.map(({ name, voting, verdict, startedAt, durationMs }) => ({
    job: name,
    voting,
    ...shared,
    durationMs,
    ...(startedAt === undefined ? {} : { startedAt }),
    result: verdict,
  }));
}
