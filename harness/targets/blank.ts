import type { Arch, Firmware } from '../arch/index.ts';
import type { BootSource, PowerState } from '../bmc/bmc.ts';
import type { Availability, Io } from './target.ts';

export type { BootSource } from '../bmc/bmc.ts';

/**
 * A machine without a system of the harness's: it begins switched off, with an empty disk, and boots from the network. What runs
 * on it, restarts it or switches it off is nobody's business but the suite's, so no shutdown, reset or panic is an error.
 */
export interface BlankMachine extends AsyncDisposable {
  readonly name: string;
  /** The address of its network card, in lower case. */
  readonly mac: string;
  /** Whether it runs: one that has switched itself off is off. */
  power(): Promise<PowerState>;
  /** Gives power: it starts from its firmware. One that is on is left alone. */
  on(): Promise<void>;
  /** Cuts the power, as by pulling the plug. */
  off(): Promise<void>;
  /** Restarts it without asking its system. @throws InfraError when it is off. */
  reset(): Promise<void>;
  /**
   * Chooses what it boots from first, from its next start on; begins as `network`.
   * @param once only at the next start: then as before.
   */
  nextBoot(from: BootSource, once?: boolean): Promise<void>;
  /** What counts at its next start only, if anything. */
  bootsOnceFrom(): BootSource | undefined;
  /** The last lines of its console, which holds all of its starts. */
  consoleTail(lines?: number): Promise<string[]>;
  /** Makes it what it was at first: off, its disk empty, nothing in its firmware's memory. */
  renew(): Promise<void>;
  /** Lets this process exit while it goes on. */
  leave(): void;
  /** Resolves with the reason when its emulator ends by itself. Never rejects. */
  readonly died: Promise<Error>;
}

/** What starts a machine instead of firmware. */
export interface BootFiles {
  readonly kernel: string;
  readonly initrd: string;
}

export interface BlankSpec {
  readonly cell: string;
  readonly name: string;
  readonly arch: Arch;
  readonly diskBytes: number;
  readonly memoryBytes: number;
  readonly firmware: Firmware;
  /** For firmware of the kind `kexec`. */
  readonly boot?: BootFiles | undefined;
  /** Its cable to the switch. */
  readonly lan: { readonly socket: string; readonly mac: string };
}

/** Makes blank machines. */
export interface ProviderBlanks {
  /** Whether it can make them with this firmware here. */
  probe(arch: Arch, firmware: Firmware): Promise<Availability>;
  /** Makes one, switched off. Registers what it starts before it uses it. */
  make(spec: BlankSpec, io: Io): Promise<BlankMachine>;
}
