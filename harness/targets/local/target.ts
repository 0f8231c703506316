import { z } from 'zod';
import { InfraError } from '../../base/errors.ts';
import { isAlive } from '../../base/process.ts';
import { capabilitiesField, factsField, identityField, parseHandle } from '../handle.ts';
import { filesBy } from '../shared/by-commands.ts';
import { execProcess } from '../shared/exec-process.ts';
import type { Target } from '../target.ts';

/** Everything that another process of this host needs to use a local target. */
const localHandle = z.object({
  kind: z.literal('local'),
  /** The first process of its own system; absent if commands run on the host itself. */
  first: identityField.exactOptional(),
  /** Where its ports are. */
  host: z.string(),
  /** Whether it has a network of its own. */
  ownNetwork: z.boolean(),
  ports: z.array(z.int()).readonly(),
  facts: factsField,
  can: capabilitiesField,
  undoFolder: z.string().exactOptional(),
});
export type LocalHandle = Readonly<z.output<typeof localHandle>>;

/** The environment of commands, independent of the harness's own. */
const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
};

/** A local target, usable by any process of this host that has its handle. Disposal does not end it. */
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
    // Its processes outlive nsenter; `timeout` ends them soon.
    const limit = ['timeout', '--signal=KILL', String(Math.ceil(options.deadlineMs / 1000) + 1)];
    const whole = [...within(options.outside === true), ...limit, ...argv];
    return execProcess(whole, options, argv.join(' ').slice(0, 120), ENVIRONMENT);
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
export async function reconnectLocal(handle: unknown): Promise<Target | undefined> {
  const local = parseHandle(localHandle, handle);
  if (local.first && !isAlive(local.first)) return undefined;
  return useLocal(local, new Promise(() => {}));
}
