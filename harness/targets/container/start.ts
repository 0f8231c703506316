import {
  BoundPorts,
  type ContainerRuntimeClient,
  getContainerRuntimeClient,
  Wait,
  waitForContainer,
} from 'testcontainers';
import { InfraError, messageOf } from '../../base/errors.ts';
import type { TargetSpec } from '../target.ts';
import { type EngineAddress, openEngine, RUN_LABEL } from './engine.ts';

/** What the manager of services says when it can be asked. */
const LISTENS = /services are managed by process/;

export interface StartRequest {
  readonly engine: EngineAddress;
  readonly tag: string;
  readonly spec: TargetSpec;
  readonly run: string;
  readonly name: string;
  readonly network: string;
}

/**
 * Starts a container and waits until its first process listens. It is created with the engine's own API, because
 * testcontainers cannot express ports of one address or memory in bytes. The run removes it, or later `gc`: it needs no
 * reaper, which is an image that a machine without a registry does not have.
 * @returns its id.
 */
export async function startContainer(request: StartRequest): Promise<string> {
  const { spec, run, name, network, tag, engine } = request;
  const client = await libraryClient(engine);
  // Ports on all addresses are open to this network; a remote engine has no other way.
  const HostIp = engine.portsAt === '127.0.0.1' ? '127.0.0.1' : '';
  const ports = spec.ports.map((port) => `${port}/tcp`);
  const container = await client.container.create({
    name,
    Image: tag,
    platform: spec.arch.docker,
    Hostname: spec.hostname,
    Labels: { [RUN_LABEL]: run, 'multiarch-harness.cell': spec.cell },
    ExposedPorts: Object.fromEntries(ports.map((port) => [port, {}])),
    HostConfig: {
      NetworkMode: network,
      PortBindings: Object.fromEntries(ports.map((port) => [port, [{ HostIp, HostPort: '0' }]])),
      Memory: spec.memoryBytes,
      NanoCpus: spec.vcpus * 1e9,
    },
  });
  await client.container.start(container);
  const listens = Wait.forLogMessage(LISTENS).withStartupTimeout(spec.bootDeadlineMs);
  await waitForContainer(client, container, listens, new BoundPorts());
  return container.id;
}

/**
 * testcontainers keeps one client per process, created at the first request from `DOCKER_HOST` and the user's settings,
 * and falls back to any other engine that answers. So it is asked which one it uses.
 * @returns that client.
 * @throws InfraError if it is not ours.
 */
async function libraryClient(engine: EngineAddress): Promise<ContainerRuntimeClient> {
  type Modem = { readonly socketPath?: string; readonly host?: string; readonly port?: string | number };
  // Ports are read from the engine here. By default the library would detect the host in a container by starting an
  // image of the public registry.
  process.env['TESTCONTAINERS_HOST_OVERRIDE'] ??= engine.portsAt;
  const client = await getContainerRuntimeClient().catch((cause: unknown) => {
    throw new InfraError(`cannot reach the Docker engine at ${engine.host}: ${messageOf(cause)}`, { cause });
  });
  const placeOf = ({ socketPath, host, port }: Modem) => socketPath ?? `${host}:${port}`;
  const bound = placeOf(client.container.getById('none').modem as Modem);
  const wanted = placeOf(openEngine(engine).modem as Modem);
  if (bound !== wanted)
    throw new InfraError(`cannot use two Docker engines in one run: it is bound to ${bound}, and needs ${wanted}`, {
      hint: 'testcontainers takes tc.host of ~/.testcontainers.properties before DOCKER_HOST; one engine a run is possible.',
    });
  return client;
}
