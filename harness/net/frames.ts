/** Longest accepted Ethernet frame, in bytes: QEMU's own limit, with room for offloaded segments. */
export const MAX_FRAME = 68 * 1024;

/** Shortest one: two addresses and a type. */
const MIN_FRAME = 14;

/**
 * Cuts QEMU's stream into frames: each is preceded by its length, 4 bytes, big-endian, and keeps it for sending on.
 * Nothing is copied if frames arrive whole.
 */
export class FrameReader {
  #pending: Buffer = Buffer.alloc(0);

  /**
   * The frames that this piece completes.
   * @throws Error for an invalid length: then the rest of the stream cannot be understood either.
   */
  push(chunk: Buffer): Buffer[] {
    let bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const frames: Buffer[] = [];
    while (bytes.length >= 4) {
      const length = bytes.readUInt32BE(0);
      if (length < MIN_FRAME || length > MAX_FRAME) throw new Error(`a frame of ${length} bytes`);
      if (bytes.length < 4 + length) break;
      frames.push(bytes.subarray(0, 4 + length));
      bytes = bytes.subarray(4 + length);
    }
    this.#pending = bytes;
    return frames;
  }
}

/** The destination address of a frame, as a number: 48 bits fit into one. */
export function destinationOf(frame: Buffer): number {
  return frame.readUIntBE(4, 6);
}

/** The source address of a frame. */
export function sourceOf(frame: Buffer): number {
  return frame.readUIntBE(10, 6);
}

/** True for a multicast or broadcast address: the lowest bit of its first byte. */
export function isGroup(frame: Buffer): boolean {
  return (frame[4]! & 1) === 1;
}
