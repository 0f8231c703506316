import { createReadStream } from 'node:fs';
import type Dockerode from 'dockerode';
import type { Arch } from '../../arch/index.ts';
import { InfraError } from '../../base/errors.ts';
import type { SystemImage } from '../../images/build-system.ts';
import { asked, type EngineAddress, isGone } from './engine.ts';

/** Milliseconds for sending some hundred MiB to an engine. */
const LOAD_MS = 10 * 60_000;
/** Milliseconds after which an unused image is removed from an engine: two weeks. */
const UNUSED_MS = 14 * 24 * 3600 * 1000;

/**
 * Makes sure that an engine has an image, of the architecture that it is for: what starts containers looks at the tag only,
 * and qemu-user would run whatever is behind it. An image under our tag that is of another architecture is replaced.
 * @throws InfraError when it is of another architecture even then.
 */
export async function ensureImage(
  address: EngineAddress,
  arch: Arch,
  image: Pick<SystemImage, 'tag' | 'archive'>,
  progress: (message: string) => void,
): Promise<void> {
  if ((await platformOf(address, image.tag)) !== arch.docker) {
    progress('loading the image into the engine');
    await asked(address, 'load an image into', (engine) => load(engine, image.archive), LOAD_MS);
  }
  const found = await platformOf(address, image.tag);
  if (found !== arch.docker)
    throw new InfraError(
      `cannot use the image ${image.tag}: it is ${found === undefined ? 'not there after loading it' : `for ${found}`}, not for ${arch.docker}`,
      { hint: `docker image rm ${image.tag}, and remove it from the cache: harness images gc --all` },
    );
  await touch(address, image.tag);
}

/** `linux/arm64`: an image's own word for what it is; undefined where there is none of this tag. */
async function platformOf(address: EngineAddress, tag: string): Promise<string | undefined> {
  return asked(address, 'look for an image in', async (engine) => {
    const inspected = await engine
      .getImage(tag)
      .inspect()
      .catch((error: unknown) => {
        if (isGone(error)) return undefined;
        throw error;
      });
    return inspected && `${inspected.Os}/${inspected.Architecture}`;
  });
}

async function load(engine: Dockerode, archive: string): Promise<void> {
  const answer = await engine.loadImage(createReadStream(archive), { quiet: true });
  const said = await new Response(answer as unknown as ReadableStream).text();
  // The engine answers 200 and says in the stream that it failed.
  const error = /"error":"((?:[^"\\]|\\.)*)"/.exec(said)?.[1];
  if (error !== undefined) throw new Error(error);
}

/** Tags it anew, which is the engine's note of its last use, and removes what nobody has used for long. */
async function touch(address: EngineAddress, tag: string): Promise<void> {
  const [repo, version] = tag.split(':') as [string, string];
  await asked(address, 'tag an image in', (engine) => engine.getImage(tag).tag({ repo, tag: version }));
  const ours = await asked(address, 'list the images of', (engine) =>
    engine.listImages({ filters: { reference: [`${repo.split('/')[0]}/*`] } }),
  );
  for (const { Id } of ours)
    await asked(address, 'clean up on', async (engine) => {
      const { Metadata } = (await engine.getImage(Id).inspect()) as unknown as { Metadata?: { LastTagTime?: string } };
      const used = Date.parse(Metadata?.LastTagTime ?? '');
      if (used > 0 && Date.now() - used > UNUSED_MS) await engine.getImage(Id).remove();
      // One that a container of another run uses stays, and so does one that another run has just removed.
    }).catch(() => {});
}
