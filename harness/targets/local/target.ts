import { InfraError } from '../../base/errors.ts';
import { isAlive, type ProcessIdentity } from '../../base/process.ts';
import type { TargetFacts } from '../../events/types.ts';
import { filesBy } from '../by-commands.ts';
import { execProcess } from '../exec-process.ts';
import type { Capability, Handle, Target } from '../target.ts';

/** Everything that another process of this host needs to use a local target. */
export interface LocalHandle extends Handle {
  readonly kind: 'local';
  /** The first process of its own system; absent where there is none and commands run on the host itself. */
  readonly first?: ProcessIdentity;
  /** Where its ports are. */
  readonly host: string;
  /** Whether it has a network of its own. */
  readonly ownNetwork: boolean;
  readonly ports: readonly number[];
  readonly facts: TargetFacts;
  readonly can: readonly Capability[];
  readonly undoFolder?: string;
}

/** What commands see, whatever the harness was started with. */
const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
};

/** What can be done with a local target by any process of this host that has its handle. Disposal leaves it alone. */
export function useLocal(handle: LocalHandle, died: Promise<Error>): Target {
  const { first, host, ownNetwork } = handle;
  const within = (outside: boolean) => {
    if (!first) return [];
    const network = ownNetwork && !outside ? ['--net'] : [];
    return [
      'nsenter',
      `--target=${first.pid}`,
      '--mount',
      '--pid',
      '--uts',
      '--ipc',
      ...network,
      '--root',
      '--wd',
      '--',
    ];
  };
  const exec: Target['exec'] = (argv, options) => {
    if (first && !isAlive(first)) return Promise.reject(gone());
    // What it has started outlives nsenter; `timeout` does not let it live long.
    const limit = ['timeout', '--signal=KILL', String(Math.ceil(options.deadlineMs / 1000) + 1)];
    const whole = [...within(options.outside === true), ...limit, ...argv];
    return execProcess(whole, options, argv.join(' ').slice(0, 120), ENVIRONMENT);
  };
  const noPower = async (): Promise<never> => {
    throw new InfraError('cannot cut the power of this host', {
      hint: "Skip the test with target.can('power'), or say needs: [power].",
    });
  };
  return {
    facts: handle.facts,
    handle,
    can: handle.can,
    ...(handle.undoFolder === undefined ? {} : { undoFolder: handle.undoFolder }),
    died,
    exec,
    ...filesBy(exec),
    async forward(port) {
      if (!handle.ports.includes(port))
        throw new InfraError(`cannot reach port ${port} of the target: the suite's stack does not name it`);
      return { host, port };
    },
    powerOff: noPower,
    powerOn: noPower,
    consoleTail: async () => [],
    enter: (command) => [...within(false), ...(command.length > 0 ? command : ['bash', '-l'])],
    leave() {},
    async [Symbol.asyncDispose]() {},
  };
}

export function gone(): InfraError {
  return new InfraError('cannot go on with the local target: its first process has ended');
}

/** The target of a handle from another process, or undefined when it is gone. */
export async function reconnectLocal(handle: Handle): Promise<Target | undefined> {
  const local = handle as LocalHandle;
  if (local.first && !isAlive(local.first)) return undefined;
  return useLocal(local, new Promise(() => {}));
}
