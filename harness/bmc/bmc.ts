import { InfraError } from '../base/errors.ts';
import { run } from '../base/process.ts';
import { retryUntil } from '../base/time.ts';
import { ipmi } from './ipmi.ts';
import { redfish } from './redfish.ts';
import type { PowerSpec } from './spec.ts';

export type PowerState = 'on' | 'off';

/** What a machine looks for a system on first. */
export type BootSource = 'network' | 'disk';

/** What switches the power of a machine: its baseboard management controller, or commands that somebody wrote. */
export interface Bmc {
  /** What a person calls it: `redfish https://p9-bmc`. No secret is in it. */
  readonly name: string;
  /** Asks for the state of the power. Absent: there is no way to ask. @throws InfraError when it does not answer. */
  state?(): Promise<PowerState>;
  /** Asks for the power to be cut or given; it may come about later. @throws InfraError when it refuses. */
  request(state: PowerState): Promise<void>;
}

/** Milliseconds until a machine has the state that was asked for, and between two questions for it. */
const SWITCH_MS = 120_000;
const POLL_MS = 1000;

/** The power of a machine, by whatever its inventory names. */
export function bmcOf(spec: PowerSpec): Bmc {
  if ('redfish' in spec) return redfish(spec);
  if ('ipmi' in spec) return ipmi(spec);
  return {
    name: 'commands',
    async request(state) {
      await run(spec[state], { purpose: `switch the power ${state}`, timeout: SWITCH_MS });
    },
  };
}

/**
 * Cuts the power of a machine or gives it, and waits until that is so, where the state can be asked for. One that has the
 * state already is left alone: some controllers answer such a request with an error.
 * @throws InfraError when the controller does not answer, refuses, or the state does not come.
 */
export async function switchPower(bmc: Bmc, wanted: PowerState, deadlineMs = SWITCH_MS): Promise<void> {
  if ((await bmc.state?.()) === wanted) return;
  await bmc.request(wanted);
  if (!bmc.state) return;
  await retryUntil(
    async () => {
      const state = await bmc.state?.();
      if (state !== wanted)
        throw new InfraError(`cannot switch the power ${wanted} by ${bmc.name}: it is still ${state}`);
    },
    { deadlineMs, everyMs: POLL_MS },
  );
}
