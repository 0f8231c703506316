import { cpus } from 'node:os';
import { execa } from 'execa';
import type { TargetFacts } from '../../events/types.ts';
import type { TargetSpec } from '../target.ts';
import { type EngineAddress, type EngineInfo, isLocal } from './engine.ts';

/** The machine behind a container: the engine's, or QEMU's user mode on it. */
export async function factsOf(spec: TargetSpec, engine: EngineAddress, info: EngineInfo): Promise<TargetFacts> {
  const native = info.machine === spec.arch.machine;
  const cpu = isLocal(engine) ? cpus()[0]?.model.trim() || 'unknown' : `of ${engine.portsAt}`;
  return {
    arch: spec.arch.name,
    kind: 'container',
    accelerator: native ? 'native' : 'qemu-user',
    cpu: native ? cpu : `emulated on ${cpu}`,
    machine: `Docker ${info.version}`,
    vcpus: spec.vcpus,
    memoryBytes: spec.memoryBytes,
    kernel: info.kernel,
    ...(native
      ? {}
      : { emulator: `QEMU ${(isLocal(engine) && (await userVersion(spec))) || 'of an unknown version'}, user mode` }),
    ...(spec.system ? { release: spec.system.release, image: spec.system.key } : {}),
  };
}

/** The version of the QEMU that Debian's package registers; undefined where another one is. */
async function userVersion({ arch }: TargetSpec): Promise<string | undefined> {
  const program = `${arch.qemu.binfmt}-static`;
  const result = await execa(program, ['--version'], { reject: false, stdin: 'ignore' });
  return /version ([\d.]+)/.exec(result.stdout ?? '')?.[1];
}
