import { cpus, release } from 'node:os';
import { execa } from 'execa';
import { nativeArch } from '../../arch/index.ts';
import { memoryHere } from '../../base/cgroup.ts';
import { InfraError } from '../../base/errors.ts';
import { exists } from '../../base/files.ts';
import type { TargetFacts } from '../../events/types.ts';
import { noteHandle } from '../handle.ts';
import { lacking } from '../lacking.ts';
import type { Capability, Io, Target, TargetProvider, TargetSpec } from '../target.ts';
import { type OwnSystem, startOwnSystem, whyNotOwnSystem } from './own-system.ts';
import { type LocalHandle, reconnectLocal, useLocal } from './target.ts';

export interface LocalOptions {
  /** False: always use this host itself, even if a separate system is possible. */
  readonly ownSystem?: boolean;
}

/** This host: in a separate system on top of it if possible, else the host itself. */
export function localProvider(options: LocalOptions = {}): TargetProvider {
  let trial: Promise<string | undefined> | undefined;
  /** Why it is the host itself. */
  const whyNot = () => {
    trial ??= options.ownSystem === false ? Promise.resolve('it was not asked for') : whyNotOwnSystem();
    return trial;
  };
  return {
    kind: 'local',
    async probe(name, needs) {
      const native = nativeArch();
      if (native?.name !== name) return { state: 'impossible', why: `this host is ${native?.name ?? process.arch}` };
      const why = await whyNot();
      const modules = new Set<string>();
      for (const module of needs?.kernelModules ?? []) if (await hasModule(module)) modules.add(module);
      const lacks = lacking(needs, {
        kind: 'local',
        capabilities: await capabilitiesOf(why === undefined),
        installs: [],
        hasModule: (module) => modules.has(module),
        memoryBytes: await memoryHere(),
      });
      const detail =
        why === undefined
          ? 'this host, with a system of its own'
          : `this host itself, nothing of it is private: ${why}`;
      return lacks ?? { state: 'usable', accelerator: 'native', detail };
    },
    async acquire(spec, io) {
      const why = await whyNot();
      if (why !== undefined) io.progress(`the target is this host itself, nothing of it is private: ${why}`);
      return acquireLocal(spec, io, why === undefined);
    },
    reconnect: reconnectLocal,
  };
}

async function acquireLocal(spec: TargetSpec, io: Io, own: boolean): Promise<Target> {
  const system = own ? await startOwnSystem(spec, io) : undefined;
  const handle: LocalHandle = {
    kind: 'local',
    ...(system ? { first: system.first } : { undoFolder: undoFolder() }),
    host: system?.host ?? '127.0.0.1',
    ownNetwork: system?.ownNetwork ?? false,
    ports: spec.ports,
    facts: factsOf(spec, system, await memoryHere()),
    can: await capabilitiesOf(own),
  };
  await noteHandle(io, handle);
  if (!system) return useLocal(handle, new Promise(() => {}));
  const died = system.ended.then((said) => {
    return new InfraError('the local target has ended', { consoleTail: said.split('\n') });
  });
  return {
    ...useLocal(handle, died),
    leave: () => system.leave(),
    [Symbol.asyncDispose]: () => system[Symbol.asyncDispose](),
  };
}

/** The folder for noting changes on the host itself. */
function undoFolder(): string {
  return process.getuid?.() === 0
    ? '/var/lib/multiarch-harness/local'
    : `${process.env['HOME']}/.multiarch-harness/local`;
}

async function capabilitiesOf(own: boolean): Promise<Capability[]> {
  const systemd = !own && (await exists('/run/systemd/system'));
  const root = process.getuid?.() === 0;
  return [...(root ? (['root'] as const) : []), ...(systemd && root ? (['system'] as const) : []), 'network'];
}

async function hasModule(name: string): Promise<boolean> {
  if (await exists(`/sys/module/${name}`)) return true;
  const { failed } = await execa('modprobe', ['-n', '-q', name], { reject: false, stdin: 'ignore' });
  return !failed;
}

function factsOf({ arch }: TargetSpec, system: OwnSystem | undefined, memoryBytes: number): TargetFacts {
  return {
    arch: arch.name,
    kind: 'local',
    accelerator: 'native',
    cpu: cpus()[0]?.model.trim() || 'unknown',
    machine: system ? 'this host, a system of its own' : 'this host',
    vcpus: cpus().length,
    memoryBytes,
    kernel: release(),
  };
}
