import { createHash } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StackError } from '../../base/errors.ts';
import { run } from '../../base/process.ts';
import type { Endpoint } from '../../targets/target.ts';

/** A container image for one architecture, as an archive for `docker load`. */
export interface ArchivedImage {
  /** As Docker spells it: `arm64`. */
  readonly architecture: string;
  readonly archive: string;
}

/** Source: https://distribution.github.io/distribution/spec/manifest-v2-2/ */
const TYPES = {
  list: 'application/vnd.docker.distribution.manifest.list.v2+json',
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const;

interface Descriptor {
  readonly mediaType: string;
  readonly size: number;
  readonly digest: string;
}

/**
 * Pushes an image under one tag for all its architectures: the parts of each, a manifest for each, and the list of them,
 * from which every engine takes its own.
 * @param tag `my-web:1`
 * @throws StackError with the registry's answer.
 */
export async function pushImage(
  registry: Endpoint,
  tag: string,
  images: readonly ArchivedImage[],
  signal: AbortSignal,
): Promise<void> {
  const [name, version] = tag.split(':') as [string, string];
  const base = `http://${registry.host}:${registry.port}/v2/${name}`;
  const ask = async (method: string, url: string, allowed: readonly number[], body?: Blob, mediaType?: string) => {
    const response = await fetch(url, {
      method,
      signal,
      ...(body === undefined ? {} : { body }),
      ...(mediaType === undefined ? {} : { headers: { 'content-type': mediaType } }),
    });
    const text = await response.text();
    if (!allowed.includes(response.status))
      throw new StackError(
        `cannot push ${tag}: ${method} ${url} was answered ${response.status}: ${text.slice(0, 500)}`,
      );
    return response;
  };
  const upload = async (mediaType: string, digest: string, blob: Blob): Promise<Descriptor> => {
    // Parts that the registry already has, under another tag or from another architecture, are not sent again.
    const known = await ask('HEAD', `${base}/blobs/${digest}`, [200, 404]);
    if (known.status === 404) {
      const begun = await ask('POST', `${base}/blobs/uploads/`, [202]);
      const place = new URL(begun.headers.get('location') ?? '', `${base}/`);
      // The registry's own address is that of the machine, not the one we use.
      place.host = `${registry.host}:${registry.port}`;
      place.searchParams.set('digest', digest);
      await ask('PUT', place.href, [201], blob, 'application/octet-stream');
    }
    return { mediaType, size: blob.size, digest };
  };
  const putManifest = async (
    mediaType: string,
    reference: string | undefined,
    content: object,
  ): Promise<Descriptor> => {
    const text = JSON.stringify(content);
    const digest = digestOf(Buffer.from(text));
    await ask('PUT', `${base}/manifests/${reference ?? digest}`, [201], new Blob([text]), mediaType);
    return { mediaType, size: Buffer.byteLength(text), digest };
  };

  const manifests = [];
  for (const { architecture, archive } of images) {
    const parts = await mkdtemp(join(tmpdir(), 'harness-push-'));
    try {
      await run(['tar', '-C', parts, '-xf', archive], { purpose: `unpack ${archive}`, cancelSignal: signal });
      const [saved] = JSON.parse(await readFile(join(parts, 'manifest.json'), 'utf8')) as [SavedImage];
      const text = await readFile(join(parts, saved.Config));
      const { rootfs } = JSON.parse(text.toString()) as { rootfs: { diff_ids: string[] } };
      const config = await upload(TYPES.config, digestOf(text), new Blob([text]));
      const layers: Descriptor[] = [];
      // Not compressed: then the digest of a layer is the one in the configuration, and nobody waits for gzip.
      for (const [index, layer] of saved.Layers.entries())
        layers.push(await upload(TYPES.layer, rootfs.diff_ids[index]!, await openAsBlob(join(parts, layer))));
      const manifest = { schemaVersion: 2, mediaType: TYPES.manifest, config, layers };
      manifests.push({
        ...(await putManifest(TYPES.manifest, undefined, manifest)),
        platform: { architecture, os: 'linux' },
      });
    } finally {
      await rm(parts, { recursive: true, force: true });
    }
  }
  await putManifest(TYPES.list, version, { schemaVersion: 2, mediaType: TYPES.list, manifests });
}

/** An entry of `manifest.json` in an archive for `docker load`. */
interface SavedImage {
  readonly Config: string;
  readonly Layers: readonly string[];
}

function digestOf(content: Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
