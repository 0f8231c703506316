import type Dockerode from 'dockerode';
import { asked, type EngineAddress, isGone, RUN_LABEL } from './engine.ts';

/** Milliseconds for ending a container, with all that runs in it. */
const SWEEP_MS = 60_000;

/**
 * Removes everything of a run from an engine: its containers, with their volumes, and networks, by their label. What is gone
 * already counts as removed.
 * @returns a list of what was removed, for people.
 * @throws InfraError if the engine does not answer: its resources still exist.
 */
export async function sweepEngine(
  address: EngineAddress,
  run: string,
  options: { readonly dryRun?: boolean } = {},
): Promise<string[]> {
  const filters = { label: [`${RUN_LABEL}=${run}`] };
  const ask = <T>(question: (engine: Dockerode) => Promise<T>) => asked(address, 'clean up on', question, SWEEP_MS);
  const containers = await ask((engine) => engine.listContainers({ all: true, filters }));
  const networks = await ask((engine) => engine.listNetworks({ filters }));
  const { Volumes } = await ask((engine) => engine.listVolumes({ filters }));
  const things: [string, (engine: Dockerode) => Promise<unknown>][] = [
    ...containers.map(({ Id, Names }): (typeof things)[number] => [
      `container ${Names[0]?.replace('/', '') ?? Id.slice(0, 12)}`,
      (engine) => engine.getContainer(Id).remove({ force: true, v: true }),
    ]),
    ...networks.map(({ Id, Name }): (typeof things)[number] => [
      `network ${Name}`,
      (engine) => engine.getNetwork(Id).remove(),
    ]),
    ...(Volumes ?? []).map(({ Name }): (typeof things)[number] => [
      `volume ${Name}`,
      (engine) => engine.getVolume(Name).remove({ force: true }),
    ]),
  ];
  // Containers first: a network or volume in use cannot be removed.
  for (const [, remove] of options.dryRun ? [] : things)
    await ask((engine) =>
      remove(engine).catch((error: unknown) => {
        if (!isGone(error)) throw error;
      }),
    );
  return things.map(([name]) => name);
}
