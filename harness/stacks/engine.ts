import { request } from 'node:http';
import { InfraError, isLate } from '../base/errors.ts';
import type { Target } from '../targets/target.ts';
import type { Deployer } from './deployer.ts';

/** Where a Docker engine listens. */
const SOCKET = '/var/run/docker.sock';

/**
 * The Docker engine of a target, as a Unix socket on this host.
 * @throws InfraError for a target that cannot forward one.
 */
export async function engineSocket(target: Target): Promise<string> {
  if (!target.socket)
    throw new InfraError(`cannot reach the Docker engine: a ${target.facts.kind} target forwards no sockets`);
  return target.socket(SOCKET);
}

/** Sends a request to an engine over a new connection. @throws Error with its answer. */
export function askEngine<T>(socket: string, path: string, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: socket, path, agent: false, signal }, (response) => {
      response.setEncoding('utf8');
      let text = '';
      response.on('error', reject);
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        if (response.statusCode === 200) resolve(JSON.parse(text) as T);
        else reject(new Error(`GET ${path} was answered ${response.statusCode}: ${text.trim().slice(0, 300)}`));
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** Milliseconds in which a running engine answers, even on the slowest usable machine. */
const ALIVE_MS = 30_000;

/**
 * Why a target's Docker engine is no longer usable; undefined while it answers, or if the target itself does not, which
 * is then the cause.
 */
export const engineBlame: NonNullable<Deployer['blame']> = async (target) => {
  const why = await engineProblem(target);
  if (why === undefined) return undefined;
  return {
    what: 'the Docker engine',
    why,
    hint: "See the engine's part of journal.txt; a scenario that stops the engine has to start it again.",
  };
};

async function engineProblem(target: Target): Promise<string | undefined> {
  try {
    const asked = await target.exec(['docker', 'version', '--format', '{{.Server.Version}}'], { deadlineMs: ALIVE_MS });
    return asked.exitCode === 0 ? undefined : asked.stderr.trim().split('\n').at(-1);
  } catch (error) {
    return isLate(error) ? `it does not answer within ${ALIVE_MS / 1000} s` : undefined;
  }
}
