import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, open, readdir, stat, truncate } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { type Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { z } from 'zod';
import { InfraError } from '../../base/errors.ts';
import { makeFolder } from '../../base/files.ts';

/** Level of zstd: 82 to 87 MB of a disk of 300 MB in 3 s; level 19 took 139 s for 100 MiB of it, for a quarter less. */
const LEVEL = 3;

/** Bytes that are looked at together for holes: files of memory are mostly zeros, and take no room on the disk. */
const HOLE_BYTES = 64 * 1024;
const ZEROS = Buffer.alloc(HOLE_BYTES);

/** A file of an entry as it travels. */
const packedFile = z.strictObject({
  /** Below the entry's folder, with `/`. */
  path: z.string().regex(/^(?!.*(?:^|\/)\.\.?(?:\/|$))[^/\0][^\0]*$/),
  mode: z.int().min(0).max(0o777),
  /** Of the file itself. */
  bytes: z.int().min(0),
  /** SHA-256 of what travels, in hexadecimal. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  packedBytes: z.int().min(0),
});
export type PackedFile = z.output<typeof packedFile>;

/** What says which files an entry has. */
export const packedEntry = z.strictObject({ version: z.literal(1), files: z.array(packedFile) });

/** The files of an entry, `meta.json` last: an entry without it is none. */
export async function filesOf(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort((a, b) => Number(a === 'meta.json') - Number(b === 'meta.json') || (a < b ? -1 : 1));
}

/** Compresses a file of an entry into another file. */
export async function pack(folder: string, path: string, to: string, signal?: AbortSignal): Promise<PackedFile> {
  const file = join(folder, path);
  const { size, mode } = await stat(file);
  const hash = createHash('sha256');
  let packedBytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      packedBytes += chunk.length;
      done(null, chunk);
    },
  });
  const compress = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: LEVEL } });
  await pipeline(createReadStream(file), compress, counted, createWriteStream(to), ...withSignal(signal));
  return { path, mode: mode & 0o777, bytes: size, digest: hash.digest('hex'), packedBytes };
}

/**
 * Makes a file of an entry of what has arrived.
 * @throws InfraError when it is not what was put there.
 */
export async function unpack(
  from: Readable,
  { path, mode, bytes, digest, packedBytes }: PackedFile,
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  const file = join(folder, path);
  makeFolder(dirname(file));
  const hash = createHash('sha256');
  let arrived = 0;
  const checked = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      arrived += chunk.length;
      // What sends without an end would otherwise be read without one: zstd has frames that hold nothing.
      if (arrived > packedBytes) return done(new InfraError(`${path} is longer than it was when it was sent`));
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const handle = await open(file, 'w');
  let written = 0;
  try {
    const holes = new Writable({
      write(chunk: Buffer, _encoding, done) {
        writeSparse(chunk).then(() => done(), done);
      },
    });
    const writeSparse = async (chunk: Buffer) => {
      if (written + chunk.length > bytes) throw new InfraError(`${path} is longer than it was`);
      for (let at = 0; at < chunk.length; ) {
        // Blocks of the file, not of the chunks.
        const length = Math.min(HOLE_BYTES - (written % HOLE_BYTES), chunk.length - at);
        const block = chunk.subarray(at, at + length);
        if (!block.equals(ZEROS.subarray(0, length))) await handle.write(block, 0, length, written);
        at += length;
        written += length;
      }
    };
    await pipeline(from, checked, createZstdDecompress(), holes, ...withSignal(signal));
  } finally {
    await handle.close();
  }
  if (hash.digest('hex') !== digest) throw new InfraError(`${path} is not what its digest says`);
  if (written !== bytes) throw new InfraError(`${path} has ${written} bytes and had ${bytes}`);
  await truncate(file, bytes);
  await chmod(file, mode);
}

function withSignal(signal: AbortSignal | undefined): [] | [{ signal: AbortSignal }] {
  return signal === undefined ? [] : [{ signal }];
}
