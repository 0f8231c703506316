import { crc32 } from 'node:zlib';

export const SIGNATURE = 0xb3;

/** The numbers of the format, in their order. */
export const STATUSES = [
  undefined,
  'exists',
  'in progress',
  'success',
  'unexpected success',
  'skipped',
  'failed',
  'expected failure',
] as const;

export interface SubunitPacket {
  /** Bytes. */
  readonly length: number;
  readonly status: (typeof STATUSES)[number];
  /** Milliseconds since 1970. */
  readonly timestamp?: number;
  readonly testId?: string;
  readonly tags: readonly string[];
  readonly mime?: string;
  readonly file?: { readonly name: string; readonly bytes: Uint8Array };
  readonly route?: string;
}

/** Why there is no packet at a position: `short` means that the file ends within one. */
export type NoPacket = 'short' | 'broken';

const HAS = { id: 0x0800, route: 0x0400, timestamp: 0x0200, tags: 0x0080, mime: 0x0020, file: 0x0040 } as const;

/** Of the format: a length has three bytes at most. */
const LONGEST = 2 ** 22;

/**
 * A packet of subunit version 2: signature, flags, length, then those parts that the flags name (timestamp, test, tags, MIME
 * type, file, route), then the CRC-32 of all before. Numbers have 6, 14, 22 or 30 bits, by the first two of them; strings are
 * UTF-8 with their length before.
 * Source: https://github.com/testing-cabal/subunit#version-2
 */
export function packetAt(bytes: Uint8Array, start: number): SubunitPacket | NoPacket {
  if (start + 3 > bytes.length) return 'short';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint16(start + 1);
  // The version, and the bit that has to be 0.
  if (flags >> 12 !== 2 || (flags & 0x0008) !== 0) return 'broken';
  const fields = new Fields(bytes, start + 3, bytes.length);
  const length = fields.number();
  if (length === undefined) return 'short';
  if (length > LONGEST || length < fields.at - start + 4) return 'broken';
  if (start + length > bytes.length) return 'short';
  const end = start + length - 4;
  if (crc32(bytes.subarray(start, end)) !== view.getUint32(end)) return 'broken';
  return contentOf(new Fields(bytes, fields.at, end), flags, length);
}

function contentOf(fields: Fields, flags: number, length: number): SubunitPacket | 'broken' {
  const has = (part: keyof typeof HAS) => (flags & HAS[part]) !== 0;
  const timestamp = has('timestamp') ? fields.timestamp() : undefined;
  const testId = has('id') ? fields.text() : undefined;
  const tags = has('tags') ? fields.texts() : [];
  const mime = has('mime') ? fields.text() : undefined;
  const name = has('file') ? fields.text() : undefined;
  const content = has('file') ? fields.bytes() : undefined;
  const route = has('route') ? fields.text() : undefined;
  if (fields.failed) return 'broken';
  return {
    length,
    status: STATUSES[flags & 7],
    tags,
    ...(timestamp === undefined ? {} : { timestamp }),
    ...(testId === undefined ? {} : { testId }),
    ...(mime === undefined ? {} : { mime }),
    ...(name === undefined || content === undefined ? {} : { file: { name, bytes: content } }),
    ...(route === undefined ? {} : { route }),
  };
}

/** Reads one part after the other; records a read beyond the end, which gives undefined. */
class Fields {
  at: number;
  failed = false;
  readonly #bytes: Uint8Array;
  readonly #end: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.#bytes = bytes;
    this.at = at;
    this.#end = end;
  }

  number(): number | undefined {
    const first = this.at < this.#end ? this.#bytes[this.at]! : undefined;
    const more = first === undefined ? 0 : first >> 6;
    if (first === undefined || this.at + more >= this.#end) return this.#fail();
    let value = first & 0x3f;
    for (let index = 1; index <= more; index++) value = value * 256 + this.#bytes[this.at + index]!;
    this.at += 1 + more;
    return value;
  }

  timestamp(): number | undefined {
    if (this.at + 4 > this.#end) return this.#fail();
    const [a, b, c, d] = this.#bytes.subarray(this.at, this.at + 4) as unknown as [number, number, number, number];
    this.at += 4;
    const nanoseconds = this.number();
    return nanoseconds === undefined ? undefined : (((a * 256 + b) * 256 + c) * 256 + d) * 1000 + nanoseconds / 1e6;
  }

  bytes(): Uint8Array | undefined {
    const length = this.number();
    if (length === undefined || this.at + length > this.#end) return this.#fail();
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  text(): string | undefined {
    const bytes = this.bytes();
    return bytes && new TextDecoder().decode(bytes);
  }

  texts(): string[] {
    const count = this.number() ?? 0;
    const all: string[] = [];
    for (let index = 0; index < count && !this.failed; index++) all.push(this.text() ?? '');
    return all;
  }

  #fail(): undefined {
    this.failed = true;
    return undefined;
  }
}
