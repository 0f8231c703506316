/** Longest Ethernet frame that is taken, in bytes: QEMU's own limit, with room for offloaded segments. */
export const MAX_FRAME = 68 * 1024;

/** Shortest one: two addresses and a type. */
const MIN_FRAME = 14;

/**
 * Cuts QEMU's stream of frames into frames: each has its length in front, 4 bytes, big-endian, and keeps it, because that
 * is how it is sent on. Nothing is copied where frames come whole.
 */
export class FrameReader {
  #pending: Buffer = Buffer.alloc(0);

  /**
   * The frames that this piece completes.
   * @throws Error when a length is none of a frame: what follows cannot be understood either.
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

/** The address that a frame goes to, as a number: 48 bits fit into one. */
export function destinationOf(frame: Buffer): number {
  return frame.readUIntBE(4, 6);
}

/** The address that a frame comes from. */
export function sourceOf(frame: Buffer): number {
  return frame.readUIntBE(10, 6);
}

/** True for an address of many: the lowest bit of its first byte. */
export function isGroup(frame: Buffer): boolean {
  return (frame[4]! & 1) === 1;
}
