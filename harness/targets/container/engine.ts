import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Dockerode from 'dockerode';
import { z } from 'zod';
import { ConfigError, InfraError, messageOf } from '../../base/errors.ts';
import { withDeadline } from '../../base/time.ts';

/** The address of a Docker engine, in the form of Docker's own programs. Plain JSON. */
export const engineField = z.object({
  /** `unix:///var/run/docker.sock`, `tcp://host:2376`. */
  host: z.string(),
  /** The folder of ca.pem, cert.pem and key.pem; present: with TLS. */
  certificates: z.string().exactOptional(),
  /** The host at which containers' published ports are reached. */
  portsAt: z.string(),
});
export type EngineAddress = Readonly<z.output<typeof engineField>>;

/** The label with the run that a container, network or volume belongs to. */
export const RUN_LABEL = 'multiarch-harness.run';

const DEFAULT_HOST = 'unix:///var/run/docker.sock';

/**
 * The engine that Docker's own variables name. Contexts are not read: the library that starts the containers does not
 * read them either.
 * @throws ConfigError for an address that cannot be used.
 */
export function engineAddress(env: NodeJS.ProcessEnv): EngineAddress {
  const host = env['DOCKER_HOST'] || DEFAULT_HOST;
  const { protocol, hostname } = URL.canParse(host) ? new URL(host) : { protocol: '', hostname: '' };
  const portsAt = env['TESTCONTAINERS_HOST_OVERRIDE'];
  if (protocol === 'unix:') return { host, portsAt: portsAt ?? '127.0.0.1' };
  if (protocol === 'tcp:' && hostname !== '') {
    const certificates = env['DOCKER_TLS_VERIFY'] === '1' ? env['DOCKER_CERT_PATH'] : undefined;
    return { host, portsAt: portsAt ?? hostname, ...(certificates ? { certificates } : {}) };
  }
  throw new ConfigError(`cannot use the Docker engine at ${JSON.stringify(host)}: expected unix:// or tcp://`, {
    hint:
      protocol === 'ssh:'
        ? 'Forward its socket: ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST; then DOCKER_HOST=unix:///tmp/docker.sock and TESTCONTAINERS_HOST_OVERRIDE=HOST, where ports are reached.'
        : 'DOCKER_HOST says where the engine is.',
  });
}

/** Whether the engine runs on this host, so that its containers can run what this host can. */
export function isLocal({ host, portsAt }: EngineAddress): boolean {
  return host.startsWith('unix:') && portsAt === '127.0.0.1';
}

/** A client of an engine; sends nothing yet. */
export function openEngine({ host, certificates }: EngineAddress): Dockerode {
  const { protocol, hostname, port, pathname } = new URL(host);
  if (protocol === 'unix:') return new Dockerode({ socketPath: pathname });
  const tls = (name: string) => readFileSync(join(certificates!, name));
  return new Dockerode({
    host: hostname,
    port: Number(port || (certificates ? 2376 : 2375)),
    ...(certificates
      ? { protocol: 'https', ca: tls('ca.pem'), cert: tls('cert.pem'), key: tls('key.pem') }
      : { protocol: 'http' }),
  });
}

/** An engine's description of itself. */
export interface EngineInfo {
  /** As `uname -m` prints it. */
  readonly machine: string;
  readonly version: string;
  readonly kernel: string;
  readonly memoryBytes: number;
}

/** Milliseconds in which a healthy engine answers. */
const ANSWER_MS = 10_000;

/** @throws InfraError if it does not answer. */
export async function engineInfo(address: EngineAddress): Promise<EngineInfo> {
  const info = await asked(address, 'reach', (engine) => engine.info());
  return {
    machine: info.Architecture,
    version: info.ServerVersion,
    kernel: info.KernelVersion,
    memoryBytes: info.MemTotal,
  };
}

/** Asks an engine something; without a deadline, in milliseconds, what it answers at once. @throws InfraError with the engine and what was to be done. */
export async function asked<T>(
  address: EngineAddress,
  purpose: string,
  question: (engine: Dockerode) => Promise<T>,
  deadlineMs = ANSWER_MS,
): Promise<T> {
  const late = () => new Error(`no answer within ${deadlineMs / 1000} s`);
  try {
    return await withDeadline(question(openEngine(address)), deadlineMs, late);
  } catch (cause) {
    throw new InfraError(`cannot ${purpose} the Docker engine at ${address.host}: ${messageOf(cause)}`, { cause });
  }
}

/** Whether an engine's answer means "not found". */
export function isGone(error: unknown): boolean {
  return (error as { statusCode?: number }).statusCode === 404;
}
