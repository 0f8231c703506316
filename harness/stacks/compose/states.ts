import { formatDuration } from '../../base/text.ts';
import type { Suite } from '../../config/suite.ts';
import type { Target } from '../../targets/target.ts';
import { askEngine, engineSocket } from '../engine.ts';
import { projectName } from './stack.ts';

/** The facts about a container of a service that tell whether it is up. */
export interface ServiceState {
  readonly service: string;
  readonly status: string;
  readonly exitCode: number;
  /** Absent without a health check. */
  readonly health?: string;
  /** What the last health check printed. */
  readonly said?: string;
}

/** The containers of a suite's project. */
export async function serviceStates(
  target: Target,
  suite: Pick<Suite, 'name'>,
  signal: AbortSignal,
): Promise<ServiceState[]> {
  const socket = await engineSocket(target);
  const filters = encodeURIComponent(
    JSON.stringify({ label: [`com.docker.compose.project=${projectName(suite.name)}`] }),
  );
  const listed = await askEngine<Listed[]>(socket, `/containers/json?all=true&filters=${filters}`, signal);
  return Promise.all(
    listed.map(async ({ Id, Labels }) => {
      const { State } = await askEngine<Inspected>(socket, `/containers/${Id}/json`, signal);
      const said = State.Health?.Log?.at(-1)?.Output.trim();
      return {
        service: Labels['com.docker.compose.service'] ?? Id.slice(0, 12),
        status: State.Status,
        exitCode: State.ExitCode,
        ...(State.Health ? { health: State.Health.Status } : {}),
        ...(said ? { said } : {}),
      };
    }),
  );
}

interface Listed {
  readonly Id: string;
  readonly Labels: Readonly<Record<string, string>>;
}

interface Inspected {
  readonly State: {
    readonly Status: string;
    readonly ExitCode: number;
    readonly Health?: { readonly Status: string; readonly Log?: readonly { readonly Output: string }[] };
  };
}

/** Whether a container is up, or has done its work. */
export function isUp({ status, exitCode, health }: ServiceState): boolean {
  if (status === 'exited') return exitCode === 0;
  return status === 'running' && (health === undefined || health === 'healthy');
}

/** Why waiting longer is useless. */
export function hopeless(states: readonly ServiceState[]): string | undefined {
  for (const { service, status, exitCode, health } of states) {
    if (status === 'exited' && exitCode !== 0) return `the service "${service}" exited with ${exitCode}`;
    if (status === 'dead') return `the service "${service}" is dead`;
    if (health === 'unhealthy') return `the service "${service}" is unhealthy`;
  }
  return undefined;
}

/** The services still missing at the deadline. */
export function notUp(states: readonly ServiceState[], deadlineMs: number): string {
  const late = states.filter((state) => !isUp(state));
  const what = late.map(({ service, status, health }) => `the service "${service}" is ${health ?? status}`);
  return `${what.join(', ') || 'no service was made'} after ${formatDuration(deadlineMs)}`;
}
