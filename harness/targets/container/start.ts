import { GenericContainer, getContainerRuntimeClient, PullPolicy, Wait } from 'testcontainers';
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

/** A container as testcontainers makes it, and what its API has no words for: where ports are bound, and limits in bytes. */
class CellContainer extends GenericContainer {
  constructor({ tag, spec, engine }: StartRequest) {
    super(tag);
    // Whoever is on this network could use ports on all addresses; a remote engine has no other way.
    const HostIp = engine.portsAt === '127.0.0.1' ? '127.0.0.1' : '';
    const ports = spec.ports.map((port) => `${port}/tcp`);
    this.createOpts.ExposedPorts = Object.fromEntries(ports.map((port) => [port, {}]));
    this.hostConfig.PortBindings = Object.fromEntries(ports.map((port) => [port, [{ HostIp, HostPort: '0' }]]));
    this.hostConfig.Memory = spec.memoryBytes;
    this.hostConfig.NanoCpus = spec.vcpus * 1e9;
  }
}

/**
 * Starts a container and waits until its first process listens.
 * @returns its id.
 */
export async function startContainer(request: StartRequest): Promise<string> {
  const { spec, run, name, network } = request;
  await bindLibrary(request.engine);
  const container = await new CellContainer(request)
    .withName(name)
    .withPlatform(spec.arch.docker)
    .withPullPolicy(PullPolicy.neverPull())
    .withHostname(spec.hostname)
    .withNetworkMode(network)
    .withLabels({ [RUN_LABEL]: run, 'multiarch-harness.cell': spec.cell })
    // What removes our containers is the run, and after it `gc`: they need no reaper beside them, which is an image that a
    // machine without a registry does not have.
    .withAutoCleanup(false)
    .withWaitStrategy(Wait.forLogMessage(LISTENS))
    .withStartupTimeout(spec.bootDeadlineMs)
    .start();
  return container.getId();
}

/**
 * testcontainers keeps one client a process. It is made at the first question from `DOCKER_HOST` and the user's own settings,
 * and falls back to whatever other engine answers. So it is asked which one it took.
 * @throws InfraError when that is another engine than ours.
 */
async function bindLibrary(engine: EngineAddress): Promise<void> {
  type Modem = { readonly socketPath?: string; readonly host?: string; readonly port?: string | number };
  // Ports are read from the engine here. Left alone the library would find out where they are, in a container by starting
  // one from an image of the public registry.
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
}
