import { createServer, type Server, type Socket } from 'node:net';
import { Capture } from './capture.ts';
import { destinationOf, FrameReader, isGroup, sourceOf } from './frames.ts';

/** Impairments of a station's cable, in both directions. */
export interface Impairment {
  /** Milliseconds that a frame takes to the switch, and from it. */
  readonly delayMs?: number;
  /** Share of frames that are lost, 0 to 1. */
  readonly loss?: number;
  /** Bits per second, each direction. Excess frames wait, and are dropped once more than a second's worth waits. */
  readonly bitsPerSecond?: number;
}

/** Counters of a station's cable. */
export interface PortCounters {
  readonly framesIn: number;
  readonly framesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Frames dropped because the station does not read. */
  readonly dropped: number;
  /** Frames lost to an impairment. */
  readonly lost: number;
  /** Frames blocked by a partition. */
  readonly cut: number;
}

/**
 * An Ethernet for machines on this host: a learning switch in this process, with one unix socket per station, to which
 * QEMU's `-netdev stream` connects. Needs no privileges, bridge or multicast; nothing leaves the process.
 */
export interface Lan extends AsyncDisposable {
  /** Makes a station's socket. A station that connects again replaces its earlier connection. */
  plug(station: string, socketPath: string): Promise<void>;
  /** Blocks frames between the groups. A station in no group reaches all. Replaces an earlier partition. */
  partition(...groups: readonly (readonly string[])[]): void;
  /** Ends the partition and every impairment. */
  heal(): void;
  /** Sets the impairments of a station's cable; `{}`: none. */
  impair(station: string, impairment: Impairment): void;
  counters(): Readonly<Record<string, PortCounters>>;
  /** The last frames of each station's cable, those that reached it and those that it sent, as files of pcap's format. */
  captures(): Readonly<Record<string, Buffer>>;
}

/** Maximum queue for a station that does not read, in bytes; more than its own buffers hold helps nobody. */
const MAX_WAITING = 4 * 2 ** 20;

/** Milliseconds that a frame may wait for a slow cable. */
const MAX_QUEUE_MS = 1000;

/** @param random 0 to 1, for losses; a parameter for tests. */
export function createLan(random: () => number = Math.random): Lan {
  const ports = new Map<string, Port>();
  /** The station at which each address was last seen. */
  const learned = new Map<number, Port>();
  let groupOf = new Map<string, number>();

  const apart = (a: Port, b: Port) => {
    const [one, other] = [groupOf.get(a.name), groupOf.get(b.name)];
    return one !== undefined && other !== undefined && one !== other;
  };
  const send = (from: Port, to: Port, frame: Buffer) => {
    if (apart(from, to)) to.cut += 1;
    else to.deliver(frame);
  };
  const forward = (from: Port, frame: Buffer) => {
    learned.set(sourceOf(frame), from);
    const known = isGroup(frame) ? undefined : learned.get(destinationOf(frame));
    if (known) {
      if (known !== from) send(from, known, frame);
      return;
    }
    for (const port of ports.values()) if (port !== from) send(from, port, frame);
  };

  return {
    async plug(station, socketPath) {
      if (ports.has(station)) throw new Error(`cannot plug ${station} in: it is already plugged in`);
      const port = new Port(station, random, forward);
      ports.set(station, port);
      await port.listen(socketPath);
    },
    partition(...groups) {
      for (const station of groups.flat())
        if (!ports.has(station))
          throw new Error(`cannot cut ${station} off: the LAN has ${[...ports.keys()].join(', ')}`);
      groupOf = new Map(groups.flatMap((group, index) => group.map((station) => [station, index] as const)));
    },
    heal() {
      groupOf = new Map();
      for (const port of ports.values()) port.impairment = {};
    },
    impair(station, impairment) {
      const port = ports.get(station);
      if (!port) throw new Error(`cannot impair ${station}: the LAN has ${[...ports.keys()].join(', ')}`);
      port.impairment = impairment;
    },
    counters: () => Object.fromEntries([...ports].map(([name, port]) => [name, port.counters()])),
    captures: () => Object.fromEntries([...ports].map(([name, port]) => [name, port.capture.pcap()])),
    async [Symbol.asyncDispose]() {
      await Promise.all([...ports.values()].map((port) => port.close()));
    },
  };
}

/** One direction of a cable. It keeps the order of frames. */
class Cable {
  readonly #under: { readonly at: number; readonly arrive: () => void }[] = [];
  /** When the last bit queued so far will have been sent, by `performance.now()`. */
  #sentAt = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Queues a frame. @returns false if the queue is full and the frame is lost. */
  put(bytes: number, { delayMs = 0, bitsPerSecond }: Impairment, arrive: () => void): boolean {
    const now = performance.now();
    if (delayMs === 0 && bitsPerSecond === undefined && this.#under.length === 0) {
      arrive();
      return true;
    }
    const start = Math.max(now, this.#sentAt);
    if (start - now > MAX_QUEUE_MS) return false;
    if (bitsPerSecond !== undefined) this.#sentAt = start + (bytes * 8000) / bitsPerSecond;
    // Not before earlier frames, even if the cable has improved meanwhile.
    const at = Math.max(this.#under.at(-1)?.at ?? 0, (bitsPerSecond === undefined ? now : this.#sentAt) + delayMs);
    this.#under.push({ at, arrive });
    this.#timer ??= setTimeout(() => this.#arrived(), at - now);
    return true;
  }

  #arrived(): void {
    this.#timer = undefined;
    const now = performance.now();
    while (this.#under[0] !== undefined && this.#under[0].at <= now) this.#under.shift()!.arrive();
    if (this.#under[0]) this.#timer = setTimeout(() => this.#arrived(), Math.max(1, this.#under[0].at - now));
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}

class Port {
  readonly name: string;
  impairment: Impairment = {};
  cut = 0;
  readonly capture = new Capture();
  readonly #random: () => number;
  readonly #forward: (from: Port, frame: Buffer) => void;
  readonly #counts = { framesIn: 0, framesOut: 0, bytesIn: 0, bytesOut: 0, dropped: 0, lost: 0 };
  readonly #in = new Cable();
  readonly #out = new Cable();
  #server: Server | undefined;
  #socket: Socket | undefined;

  constructor(name: string, random: () => number, forward: (from: Port, frame: Buffer) => void) {
    this.name = name;
    this.#random = random;
    this.#forward = forward;
  }

  listen(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server = createServer((socket) => this.#connected(socket))
        .once('error', reject)
        .listen(path, resolve);
    });
  }

  #connected(socket: Socket): void {
    this.#socket?.destroy();
    this.#socket = socket;
    const reader = new FrameReader();
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const frame of reader.push(chunk)) this.#received(frame);
      } catch {
        socket.destroy();
      }
    });
  }

  #received(frame: Buffer): void {
    this.#counts.framesIn += 1;
    this.#counts.bytesIn += frame.length - 4;
    this.capture.add(frame, Date.now());
    this.#through(this.#in, frame, () => this.#forward(this, frame));
  }

  /** Sends a frame to the station; if the station does not read, the frame is lost, as on a real switch. */
  deliver(frame: Buffer): void {
    this.#through(this.#out, frame, () => {
      const socket = this.#socket;
      if (!socket || socket.destroyed || socket.writableLength > MAX_WAITING) {
        this.#counts.dropped += 1;
        return;
      }
      this.#counts.framesOut += 1;
      this.#counts.bytesOut += frame.length - 4;
      this.capture.add(frame, Date.now());
      // Sends everything of one turn of the event loop in one system call.
      if (socket.writableCorked === 0) {
        socket.cork();
        setImmediate(() => socket.uncork());
      }
      socket.write(frame);
    });
  }

  #through(cable: Cable, frame: Buffer, arrive: () => void): void {
    const { impairment } = this;
    if (impairment.loss !== undefined && this.#random() < impairment.loss) this.#counts.lost += 1;
    else if (!cable.put(frame.length - 4, impairment, arrive)) this.#counts.dropped += 1;
  }

  counters(): PortCounters {
    return { ...this.#counts, cut: this.cut };
  }

  async close(): Promise<void> {
    this.#in.close();
    this.#out.close();
    this.#socket?.destroy();
    await new Promise((resolve) => (this.#server ? this.#server.close(resolve) : resolve(undefined)));
  }
}
