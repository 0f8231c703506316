/** Bytes of a frame that are kept: all of what DHCP says, the headers of everything else. */
const SNAP = 600;

/** Bytes of each of the two buffers that are filled in turn: between one and two of them are kept of a station. */
const BUFFER = 2 ** 20;

/** Bytes of what pcap puts in front of a frame. */
const HEADER = 16;

/** The last frames of a station's cable, in both directions, in memory that does not grow. */
export class Capture {
  #filling: Buffer | undefined;
  #used = 0;
  #full: Buffer | undefined;

  /**
   * @param frame with its length in front, as QEMU sends it.
   * @param atMs milliseconds since the epoch.
   */
  add(frame: Buffer, atMs: number): void {
    const length = frame.length - 4;
    const kept = Math.min(length, SNAP);
    if (this.#filling === undefined || this.#used + HEADER + kept > BUFFER) {
      this.#full = this.#filling?.subarray(0, this.#used);
      this.#filling = Buffer.allocUnsafe(BUFFER);
      this.#used = 0;
    }
    const at = this.#used;
    const whole = Math.floor(atMs / 1000);
    this.#filling.writeUInt32LE(whole, at);
    this.#filling.writeUInt32LE(Math.floor((atMs - whole * 1000) * 1000), at + 4);
    this.#filling.writeUInt32LE(kept, at + 8);
    this.#filling.writeUInt32LE(length, at + 12);
    frame.copy(this.#filling, at + HEADER, 4, 4 + kept);
    this.#used = at + HEADER + kept;
  }

  /** What was kept, as a file for tcpdump and Wireshark. Source of the format: draft-ietf-opsawg-pcap. */
  pcap(): Buffer {
    const head = Buffer.alloc(24);
    head.writeUInt32LE(0xa1b2c3d4, 0);
    head.writeUInt16LE(2, 4);
    head.writeUInt16LE(4, 6);
    head.writeUInt32LE(SNAP, 16);
    head.writeUInt32LE(1, 20);
    return Buffer.concat([
      head,
      this.#full ?? Buffer.alloc(0),
      this.#filling?.subarray(0, this.#used) ?? Buffer.alloc(0),
    ]);
  }
}
