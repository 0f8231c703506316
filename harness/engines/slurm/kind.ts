import type { KindOfEngine } from '../engine.ts';
import { openSlurm } from './slurm.ts';

/** Slurm, by its commands on this machine: a login node has them. */
export const slurm: KindOfEngine = { fields: {}, open: openSlurm };
