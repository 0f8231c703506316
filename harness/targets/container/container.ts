import type Dockerode from 'dockerode';
import { z } from 'zod';
import { InfraError } from '../../base/errors.ts';
import { factsField, parseHandle, portsField } from '../handle.ts';
import { filesBy } from '../shared/by-commands.ts';
import type { Capability, Target } from '../target.ts';
import { asked, engineField, openEngine } from './engine.ts';
import { execInContainer } from './exec.ts';
import { logTail } from './logs.ts';

/** Everything that another process needs to use a container. */
const containerHandle = z.object({
  kind: z.literal('container'),
  engine: engineField,
  id: z.string(),
  /** Port of the container to port where the engine publishes it. */
  ports: portsField,
  facts: factsField,
});
export type ContainerHandle = Readonly<z.output<typeof containerHandle>>;

/** A container's capabilities: its kernel is the engine's, and its power cannot be cut. */
export const CONTAINER_CAPABILITIES: readonly Capability[] = ['root', 'network'];

/** A running container, usable by any process that has its handle. Disposal does not stop it. */
export function useContainer(handle: ContainerHandle, died: Promise<Error>): Target {
  const { engine, id, ports } = handle;
  const container: Dockerode.Container = openEngine(engine).getContainer(id);
  const exec: Target['exec'] = (argv, options) => execInContainer(container, argv, options);
  return {
    facts: handle.facts,
    handle,
    can: CONTAINER_CAPABILITIES,
    died,
    exec,
    ...filesBy(exec),
    async forward(port) {
      const published = ports[String(port)];
      if (published === undefined)
        throw new InfraError(`cannot reach port ${port} of the target: the suite's stack does not name it`);
      return { host: engine.portsAt, port: published };
    },
    consoleTail: (lines = 50) => logTail(container, lines),
    enter: (command, terminal) => [
      ...['docker', ...(engine.certificates ? ['--tlsverify', '--tlscacert', `${engine.certificates}/ca.pem`] : [])],
      ...(engine.certificates
        ? ['--tlscert', `${engine.certificates}/cert.pem`, '--tlskey', `${engine.certificates}/key.pem`]
        : []),
      ...['-H', engine.host, 'exec', terminal ? '-it' : '-i', id, ...(command.length > 0 ? command : ['bash', '-l'])],
    ],
    leave() {},
    async [Symbol.asyncDispose]() {},
  };
}

/** The container of a handle from another process, or undefined when it does not run any more. */
export async function reconnectContainer(handle: unknown): Promise<Target | undefined> {
  const container = parseHandle(containerHandle, handle);
  const running = await asked(container.engine, 'ask', (engine) =>
    engine
      .getContainer(container.id)
      .inspect()
      .then(
        ({ State }) => State.Running,
        () => false,
      ),
  );
  // Its owner watches the container and ends its users.
  return running ? useContainer(container, new Promise(() => {})) : undefined;
}
