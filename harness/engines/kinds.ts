import type { KindOfEngine } from './engine.ts';
import { htcondor } from './htcondor/kind.ts';
import { slurm } from './slurm/kind.ts';

/**
 * Every kind of engine, by the name that people use. Another one is a folder beside the others and a line here: what
 * `machines.yaml` may name, `harness run --on` and `harness doctor --on` follow from it.
 */
export const engineKinds = { slurm, htcondor } satisfies Record<string, KindOfEngine>;

export type EngineKind = keyof typeof engineKinds;

export const engineKindNames = Object.keys(engineKinds) as [EngineKind, ...EngineKind[]];
