import { createHash } from 'node:crypto';

/** An image with a layer for each set of files, by their paths, as `docker load` takes it; and the digests of its layers. */
export function layeredImage(
  tag: string,
  architecture: string,
  layers: readonly Readonly<Record<string, string>>[],
): { archive: Buffer; diffs: string[] } {
  const tars = layers.map((files) => tar(files));
  const diffs = tars.map((layer) => `sha256:${createHash('sha256').update(layer).digest('hex')}`);
  const config = JSON.stringify({ architecture, os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: diffs } });
  const manifest = [{ Config: 'config.json', RepoTags: [tag], Layers: layers.map((_, index) => `${index}.tar`) }];
  const parts = Object.fromEntries(tars.map((layer, index) => [`${index}.tar`, layer]));
  return { archive: tar({ 'manifest.json': JSON.stringify(manifest), 'config.json': config, ...parts }), diffs };
}

/** Source: POSIX ustar, https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06 */
function tar(files: Readonly<Record<string, string | Buffer>>): Buffer {
  const blocks = Object.entries(files).flatMap(([path, content]) => {
    const data = Buffer.from(content);
    const header = Buffer.alloc(512);
    header.write(path, 0);
    header.write('0000644\x000000000\x000000000\0', 100);
    header.write(`${data.length.toString(8).padStart(11, '0')}\0${'0'.repeat(11)}\0`, 124);
    // The sum of all bytes, with spaces in its own place.
    header.write('        0', 148);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, data, Buffer.alloc((512 - (data.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}
