import { type ArchName, architectures } from '../../arch/index.ts';
import { HarnessError } from '../../base/errors.ts';
import { exists } from '../../base/files.ts';
import { emulationOf } from '../../images/binfmt.ts';
import { packageName } from '../../setup/system-packages.mjs';
import { lacking, type Offer } from '../lacking.ts';
import type { Availability, Needs, TargetProvider } from '../target.ts';
import { CONTAINER_CAPABILITIES, reconnectContainer } from './container.ts';
import { engineAddress, engineInfo, isLocal } from './engine.ts';
import { acquireContainer } from './lifecycle.ts';

/** Containers of a Docker engine, native or through qemu-user. */
export function containerProvider(env: NodeJS.ProcessEnv = process.env): TargetProvider {
  return {
    kind: 'container',
    probe: (arch, needs) => probe(arch, env, needs),
    acquire: async (spec, io) => acquireContainer(spec, engineAddress(env), io),
    reconnect: reconnectContainer,
  };
}

/** An engine that does not answer or has an invalid address is broken; one without its socket is missing. */
async function probe(name: ArchName, env: NodeJS.ProcessEnv, needs?: Needs): Promise<Availability> {
  // Needs that no container can meet are reported even without an engine.
  const never = lacking(needs, ANY_CONTAINER);
  if (never) return never;
  try {
    return await probeEngine(name, env, needs);
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    return { state: 'broken', why: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
  }
}

const ANY_CONTAINER: Offer = {
  kind: 'container',
  capabilities: CONTAINER_CAPABILITIES,
  installs: [],
  // The engine's kernel, for which only root of its machine can load more.
  hasModule: () => false,
};

async function probeEngine(name: ArchName, env: NodeJS.ProcessEnv, needs?: Needs): Promise<Availability> {
  const arch = architectures[name];
  const address = engineAddress(env);
  if (address.host.startsWith('unix:') && !(await exists(new URL(address.host).pathname))) {
    const docker = packageName('docker.io');
    return {
      state: 'missing',
      what: `a Docker engine at ${address.host} (${docker.includes(' ') ? 'packages' : 'package'} ${docker})`,
      install: `apt-get install -y --no-install-recommends ${docker} && service docker start`,
    };
  }
  const info = await engineInfo(address);
  const lacks = lacking(needs, { ...ANY_CONTAINER, memoryBytes: info.memoryBytes });
  if (lacks) return lacks;
  const detail = `Docker ${info.version} at ${address.host}`;
  if (info.machine === arch.machine) return { state: 'usable', accelerator: 'native', detail };
  if (isLocal(address)) {
    const emulation = await emulationOf(arch);
    if (emulation.state === 'missing') return emulation;
    if (emulation.state === 'unregistered') return { state: 'broken', why: emulation.why, hint: emulation.hint };
  }
  return { state: 'usable', accelerator: 'qemu-user', detail };
}
