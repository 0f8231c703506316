import { reconnectContainer } from './container/container.ts';
import { reconnectLocal } from './local/target.ts';
import { reconnectSsh } from './ssh/machine.ts';
import type { Handle, Target } from './target.ts';
import { reconnectVm } from './vm/machine.ts';

/** The target of a handle, or undefined when it is gone. Disposing the result leaves the target alone. */
export async function reconnect(handle: Handle): Promise<Target | undefined> {
  switch (handle.kind) {
    case 'vm':
      return reconnectVm(handle);
    case 'local':
      return reconnectLocal(handle);
    case 'container':
      return reconnectContainer(handle);
    case 'ssh':
    case 'command':
      return reconnectSsh(handle);
    default:
      return undefined;
  }
}
