import { z } from 'zod';
import type { KindOfEngine } from '../engine.ts';
import { openHtcondor } from './htcondor.ts';

const leaseField = z
  .number()
  .int()
  .min(20)
  .max(86_400)
  .default(300)
  .describe('For how long a node that does not answer may come back, with what runs there; then its cells are lost.');

const fields = {
  shared: z
    .string()
    .regex(/^(?:\/|~\/|\$)/, 'expected an absolute path; $VARIABLES and ~/ are replaced')
    .default('~/.local/share/multiarch-harness/fleet')
    .describe('A folder of this machine for runs and working trees; nodes need not see it: HTCondor moves files.'),
  'lease-seconds': leaseField,
};

/** HTCondor, by its commands on this machine: an access point has them. */
export const htcondor: KindOfEngine = {
  fields,
  open: (settings) => openHtcondor({ ...settings, leaseSeconds: leaseField.parse(settings['lease-seconds']) }),
};
