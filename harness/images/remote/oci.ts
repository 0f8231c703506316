import { createHash } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { InfraError } from '../../base/errors.ts';
import { readUpTo } from './answer.ts';
import { filesOf, pack, packedEntry, unpack } from './pack.ts';
import { type Need, registryAt } from './registry.ts';
import type { RemoteCache } from './remote.ts';

const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
/** What a registry shows as the kind of thing that this is. */
const ARTIFACT_TYPE = 'application/vnd.multiarch-harness.cache.v1';
const LAYER_TYPE = 'application/vnd.multiarch-harness.file.v1+zstd';
const EMPTY = Buffer.from('{}');

const manifest = z.looseObject({
  config: z.looseObject({ digest: z.string() }),
  layers: z.array(
    z.looseObject({
      digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
      size: z.int(),
      annotations: z.record(z.string(), z.string()),
    }),
  ),
});

/** Milliseconds for an answer that holds no file, and for one that does. */
const ANSWER_MS = 60_000;
const FILE_MS = 30 * 60_000;

/** Bytes of a manifest: as many as registries have to take. */
const MANIFEST_BYTES = 4 * 2 ** 20;

/**
 * A remote cache in a registry of container images: `oci://registry.lab:5000/harness`. An entry is a manifest, tagged by its
 * key; each of its files is a layer, compressed. Digests are the registry's own, and checked here again.
 * @param address `HOST[:PORT]/NAME`.
 * @param credentials `USER:PASSWORD`; absent: none.
 * @param scheme `http` for a registry on this machine or a trusted network.
 */
export function ociCache(
  address: string,
  { credentials, scheme = 'https' }: { readonly credentials?: string | undefined; readonly scheme?: string } = {},
): RemoteCache {
  const [, host = '', name = ''] = /^([^/]+)\/(.+)$/.exec(address) ?? [];
  const base = `/v2/${name}`;
  const registry = registryAt(`${scheme}://${host}`, name, credentials);
  const asker =
    (need: Need, signal: AbortSignal | undefined) =>
    (place: string, init: RequestInit, expected: readonly number[], ms = ANSWER_MS) =>
      registry.ask(place, init, {
        ...{ need, expected, signal: AbortSignal.any([AbortSignal.timeout(ms), ...(signal ? [signal] : [])]) },
      });

  async function upload(digest: string, body: Blob, signal?: AbortSignal): Promise<void> {
    const ask = asker('push', signal);
    const there = await ask(`${base}/blobs/${digest}`, { method: 'HEAD' }, [200, 404]);
    if (there.status === 200) return;
    const begun = await ask(`${base}/blobs/uploads/`, { method: 'POST' }, [202]);
    const place = begun.headers.get('location');
    if (place === null || !URL.canParse(place, begun.url))
      throw new InfraError(`${registry.host} does not say where a file goes`);
    const location = new URL(place, begun.url);
    location.searchParams.set('digest', digest);
    const type = { 'content-type': 'application/octet-stream' };
    await ask(location.href, { method: 'PUT', body, headers: type }, [201], FILE_MS);
  }

  const manifestUrl = (kind: string, key: string) => `${base}/manifests/${kind}-${key}`;
  return {
    name: `oci://${address}`,
    async get(kind, key, folder, signal) {
      const ask = asker('pull', signal);
      const accept = { accept: MANIFEST_TYPE };
      const answer = await ask(manifestUrl(kind, key), { headers: accept }, [200, 404]);
      if (answer.status === 404) return false;
      const { text, whole } = await readUpTo(answer, MANIFEST_BYTES);
      if (!whole) throw new InfraError(`the manifest of ${kind}-${key} has more than ${MANIFEST_BYTES} bytes`);
      const { layers } = manifest.parse(JSON.parse(text));
      const files = layers.map(({ digest, size, annotations }) => ({
        path: annotations['org.opencontainers.image.title'],
        mode: Number(annotations['mode']),
        bytes: Number(annotations['bytes']),
        digest: digest.slice('sha256:'.length),
        packedBytes: size,
      }));
      for (const file of packedEntry.parse({ version: 1, files }).files) {
        const { body } = await ask(`${base}/blobs/sha256:${file.digest}`, {}, [200], FILE_MS);
        if (!body) throw new InfraError(`${host} has nothing in ${file.digest}`);
        await unpack(Readable.fromWeb(body as never), file, folder, signal);
      }
      return true;
    },
    async put({ kind, key, folder }, signal) {
      const ask = asker('push', signal);
      const head = { method: 'HEAD', headers: { accept: MANIFEST_TYPE } };
      if ((await ask(manifestUrl(kind, key), head, [200, 404])).status === 200) return;
      const temporary = await mkdtemp(join(tmpdir(), 'harness-cache-'));
      try {
        const layers: unknown[] = [];
        for (const path of await filesOf(folder)) {
          const place = join(temporary, 'packed');
          const { digest, mode, bytes, packedBytes } = await pack(folder, path, place, signal);
          await upload(`sha256:${digest}`, await openAsBlob(place), signal);
          const annotations = { 'org.opencontainers.image.title': path, mode: String(mode), bytes: String(bytes) };
          layers.push({ mediaType: LAYER_TYPE, digest: `sha256:${digest}`, size: packedBytes, annotations });
        }
        const empty = `sha256:${createHash('sha256').update(EMPTY).digest('hex')}`;
        await upload(empty, new Blob([EMPTY]), signal);
        const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: empty, size: EMPTY.length };
        const body = JSON.stringify({
          ...{ schemaVersion: 2, mediaType: MANIFEST_TYPE, artifactType: ARTIFACT_TYPE, config, layers },
        });
        const type = { 'content-type': MANIFEST_TYPE };
        await ask(manifestUrl(kind, key), { method: 'PUT', body, headers: type }, [201]);
      } finally {
        await rm(temporary, { recursive: true, force: true });
      }
    },
  };
}
