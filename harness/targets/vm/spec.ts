import type { TargetSpec } from '../target.ts';

/** A machine's image, beside what every kind of target is asked for. */
export interface VmSpec extends TargetSpec {
  readonly image: { readonly key: string; readonly kernel: string; readonly initrd: string; readonly disk: string };
  readonly network: boolean;
  /** `own`: a machine id of its own in every run; `kept`: the same in all runs of the cell. */
  readonly identity: 'own' | 'kept';
  /** Whether the guest's clock counts its instructions: always emulated, and slower. */
  readonly counting: boolean;
  /** Whether it is to be possible to save the machine: its memory is then a file. */
  readonly snapshots: boolean;
  /** Milliseconds for booting until commands are answered. */
  readonly bootDeadlineMs: number;
}
