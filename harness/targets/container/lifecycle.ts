import { join } from 'node:path';
import type Dockerode from 'dockerode';
import { InfraError, messageOf } from '../../base/errors.ts';
import { failAfter } from '../../base/fail-after.ts';
import { withDeadline } from '../../base/time.ts';
import { ensureBinfmt } from '../../images/binfmt.ts';
import { noteHandle } from '../handle.ts';
import { consoleTail as fileTail } from '../shared/console.ts';
import { timed } from '../shared/timed.ts';
import type { Io, Target, TargetSpec } from '../target.ts';
import { type ContainerHandle, useContainer } from './container.ts';
import { asked, type EngineAddress, engineInfo, isGone, isLocal, openEngine, RUN_LABEL } from './engine.ts';
import { factsOf } from './facts.ts';
import { ensureImage } from './image.ts';
import { type FollowedLog, followLog } from './logs.ts';

/** Starts a container with a suite's whole system in it, and makes sure that it is of the architecture asked for. */
export async function acquireContainer(spec: TargetSpec, engine: EngineAddress, io: Io): Promise<Target> {
  const { system: image } = spec;
  if (!image) throw new InfraError(`cannot start a container for ${spec.cell}: it has no image`);
  const info = await engineInfo(engine);
  if (info.machine !== spec.arch.machine && isLocal(engine)) await ensureBinfmt(spec.arch);
  await timed(io, 'image', () => ensureImage(engine, spec.arch, image, io.progress));
  await io.register({ kind: 'engine', engine });
  const name = `harness-${io.run}-${spec.cell.replaceAll(/[^A-Za-z0-9_.-]/g, '-')}-${spec.hostname}`;
  // What the container does to the host's other things is nothing; what it does to the world is the suite's decision.
  const network = await asked(engine, 'make a network on', (client) =>
    client.createNetwork({
      Name: name,
      Driver: 'bridge',
      Labels: { [RUN_LABEL]: io.run },
      Options: { 'com.docker.network.bridge.enable_ip_masquerade': String(spec.network) },
    }),
  );
  let log: FollowedLog | undefined;
  const leave = () => log?.[Symbol.dispose]();
  const release = async () => {
    leave();
    await remove(engine, name, network.id).catch((error: unknown) => io.leaveBehind(messageOf(error)));
  };
  try {
    const id = await timed(io, 'container', async () => {
      const { startContainer } = await import('./start.ts');
      const request = { engine, tag: image.tag, spec, run: io.run, name, network: name };
      const starting = startContainer(request).catch((cause: unknown) => {
        throw startError(cause, spec, engine);
      });
      return withDeadline(starting, spec.bootDeadlineMs, () => {
        // It may come to be after we have looked for it.
        io.leaveBehind(`the container ${name} was being started`);
        return new InfraError(`cannot start the container: not there after ${spec.bootDeadlineMs / 1000} s`);
      });
    });
    io.signal.throwIfAborted();
    const container = openEngine(engine).getContainer(id);
    log = await followLog(container, join(io.folder, 'console.log'));
    const ports = await publishedPorts(container);
    const facts = await factsOf(spec, engine, info);
    const handle: ContainerHandle = { kind: 'container', engine, id, ports, facts };
    await noteHandle(io, handle);
    const died = watch(container, engine, log);
    const target = useContainer(handle, died);
    await checkArchitecture(target, spec);
    return {
      ...useContainer(handle, died),
      leave,
      [Symbol.asyncDispose]: release,
    };
  } catch (error) {
    return failAfter(error, release);
  }
}

/** What the engine's own message means, where that is not plain. */
function startError(cause: unknown, { arch }: TargetSpec, { host }: EngineAddress): Error {
  const said = messageOf(cause);
  if (/exec format error/i.test(said))
    return new InfraError(
      `cannot run programs of ${arch.name} on the machine of the Docker engine at ${host}: ${said}`,
      {
        cause,
        hint: 'Register qemu-user there: apt-get install qemu-user-static (Debian 13 and newer: qemu-user-binfmt)',
      },
    );
  return cause instanceof InfraError ? cause : new InfraError(`cannot start the container: ${said}`, { cause });
}

async function publishedPorts(container: Dockerode.Container): Promise<Record<string, number>> {
  const { NetworkSettings } = await container.inspect();
  return Object.fromEntries(
    Object.entries(NetworkSettings.Ports).flatMap(([port, bound]) =>
      bound?.[0] ? [[port.replace('/tcp', ''), Number(bound[0].HostPort)]] : [],
    ),
  );
}

/** An image's label is a word; what runs in it is a fact. */
async function checkArchitecture(target: Target, { arch, bootDeadlineMs }: TargetSpec): Promise<void> {
  const { stdout, stderr } = await target.exec(['sh', '-c', 'uname -m; dpkg --print-architecture'], {
    deadlineMs: bootDeadlineMs,
  });
  const found = stdout.trim().split('\n').join(', ');
  if (found !== `${arch.machine}, ${arch.debian}`)
    throw new InfraError(
      `cannot use the container: it is ${found || `of an unknown architecture (${stderr.trim()})`}, not ${arch.machine}, ${arch.debian}`,
    );
}

/** Resolves when the container ends by itself, or the engine is gone; never once nobody watches any more. */
async function watch(container: Dockerode.Container, engine: EngineAddress, log: FollowedLog): Promise<Error> {
  // A request that waits for the end of a container is never answered when the engine dies; a log is cut off.
  if ((await log.ended) === 'left') return new Promise(() => {});
  const consoleTail = await fileTail(log.file, 50);
  try {
    const { State } = await asked(engine, 'ask', () => container.inspect());
    const why = State.OOMKilled ? 'it ran out of memory' : `its first process ended with ${State.ExitCode}`;
    return new InfraError(`cannot go on with the container: ${State.Running ? 'its engine was restarted' : why}`, {
      consoleTail,
    });
  } catch (cause) {
    return new InfraError(`cannot go on with the container: the Docker engine at ${engine.host} is gone`, {
      cause,
      hint: 'Start the engine again; then `harness gc` removes what it still holds.',
      consoleTail,
    });
  }
}

async function remove(engine: EngineAddress, name: string, network: string): Promise<void> {
  const unlessGone = (error: unknown) => {
    if (!isGone(error)) throw error;
  };
  const purpose = 'remove a container from';
  await asked(
    engine,
    purpose,
    (client) => client.getContainer(name).remove({ force: true, v: true }).catch(unlessGone),
    REMOVE_MS,
  );
  await asked(engine, purpose, (client) => client.getNetwork(network).remove().catch(unlessGone));
}

/** Milliseconds for ending everything that runs in a container. */
const REMOVE_MS = 60_000;
