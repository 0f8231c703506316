import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { serveRequests } from '../../base/ask.ts';
import { makeRuntimeFolder } from '../../base/folders.ts';
import type { ContextNode, ScenarioContext } from '../../scenario/context.ts';
import type { StartedBlanks } from '../cell/blanks.ts';
import type { OnTarget } from '../cell/context.ts';
import { restoreCell, type StartedCell } from '../cell/start-cell.ts';
import type { StepIo } from '../cell/step.ts';
import { startCounting } from './counting.ts';

/** A cell's machines, controlled by another process. */
export function contextNodes({ nodes, network }: StartedCell): ContextNode[] {
  return nodes.map(({ name, target }) => ({
    name,
    handle: { ...target.handle, facts: target.facts },
    ...(network ? { address: network.place(name).address.replace(/\/.*/, '') } : {}),
  }));
}

/** A cell's blank machines for another process. */
export function contextBlanks({ machines, socket, bmc }: StartedBlanks): NonNullable<ScenarioContext['blanks']> {
  return { socket, bmc, machines: machines.map(({ name, arch, mac }) => ({ name, arch, mac })) };
}

/** A request of a suite's process. `pause` has a failure's name and message, `stop` the name of the next test. */
interface Asked {
  readonly do: 'look' | 'restore' | 'count' | 'pause' | 'stop';
  readonly failed?: string;
  readonly why?: string;
  readonly at?: string;
}

/**
 * Answers the suite's process: restores the cell's machines, unless nothing has used them yet, and starts the machine
 * that counts instructions on the first request; it runs until the step ends.
 */
export async function serveControl(on: OnTarget, io: StepIo): Promise<AsyncDisposable & { readonly socket: string }> {
  const { started, context } = on;
  const { lease } = context.run.open;
  const folder = await makeRuntimeFolder();
  lease.register({ kind: 'path', path: folder });
  const socket = join(folder, 'control');
  let used = false;
  let counting: Promise<StartedCell> | undefined;
  const served = await serveRequests(socket, async (asked) => {
    const { do: what, failed, why, at } = asked as Asked;
    if (what === 'pause' || what === 'stop') {
      const { run, cell } = context;
      const where = { what: (failed ?? at)!, why: why ?? '' };
      await run.pause.at({ cell: cell.name, folder: run.open.folder, ...where }, on.signal);
      return null;
    }
    if (what === 'count') {
      counting ??= startCounting(on, io);
      return contextNodes(await counting);
    }
    if (what === 'restore') {
      if (used) await restoreCell(started);
      used = true;
    }
    return contextNodes(started);
  });
  return {
    socket,
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]();
      await (await counting?.catch(() => undefined))?.[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
