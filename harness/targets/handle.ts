import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { archNames } from '../arch/index.ts';
import { InfraError } from '../base/errors.ts';
import type { TargetFacts } from '../events/types.ts';
import { CAPABILITIES, type Handle, type Io } from './target.ts';

/** Identifies a process uniquely, even if its number is reused. */
export const identityField = z.object({ pid: z.int().positive(), startTime: z.string() });

/** Ports of the target to ports where they are reached. */
export const portsField = z.record(z.string().regex(/^\d+$/), z.int());

export const capabilitiesField = z.array(z.enum(CAPABILITIES));

export const factsField: z.ZodType<TargetFacts> = z.object({
  arch: z.enum(archNames),
  kind: z.string(),
  accelerator: z.enum(['native', 'kvm', 'tcg', 'qemu-user']),
  cpu: z.string(),
  machine: z.string().exactOptional(),
  vcpus: z.number(),
  memoryBytes: z.number(),
  kernel: z.string().exactOptional(),
  emulator: z.string().exactOptional(),
  image: z.string().exactOptional(),
  resumed: z.string().exactOptional(),
});

/**
 * A handle that was read: from a file of a run, or from another process.
 * @throws InfraError that says which part is invalid.
 */
export function parseHandle<T>(schema: z.ZodType<T>, handle: unknown): T {
  const { data, error } = schema.safeParse(handle);
  if (data !== undefined) return data;
  throw new InfraError(`cannot find the target again: its handle cannot be read: ${z.prettifyError(error!)}`, {
    hint: 'Another version of the harness may have written it; `harness gc` removes what that one kept.',
  });
}

/** Writes a target's handle before its first use, where `harness shell` looks. */
export async function noteHandle({ folder }: Pick<Io, 'folder'>, handle: Handle): Promise<void> {
  await writeFile(join(folder, HANDLE_FILE), `${JSON.stringify(handle, null, 1)}\n`, { mode: 0o600 });
}

/** The file of a target's handle, in the folder with its console. */
export const HANDLE_FILE = 'target.json';
