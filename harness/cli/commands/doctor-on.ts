import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { ConfigError, messageOf } from '../../base/errors.ts';
import { makeFolder } from '../../base/files.ts';
import { formatBytes, printable } from '../../base/text.ts';
import { findProject } from '../../config/load/project.ts';
import { type ProbedNode, probeNodes } from '../../fleet/probe.ts';
import { engineOf } from '../../fleet/run.ts';
import { programWords } from '../../fleet/worker.ts';
import { openRemote } from '../../images/remote/open.ts';
import { engineNamed } from '../on.ts';

/** Milliseconds that a job of the doctor may wait in the queue. */
const QUEUE_MS = 120_000;

/** `harness doctor --on ENGINE`: what a cell would find on a node of each architecture, by one job each. */
export async function doctorOn(name: string, options: { readonly json?: boolean }): Promise<number> {
  const project = await findProject(process.cwd());
  const config = await engineNamed(project, name);
  const engine = engineOf(config);
  const state = await engine.probe();
  const usable = state.state === 'usable';
  if (usable) {
    try {
      makeFolder(config.shared);
    } catch (cause) {
      throw new ConfigError(`cannot write to ${config.shared}, the shared folder of ${name}: ${messageOf(cause)}`, {
        cause,
      });
    }
  }
  const program = await programWords(config.harness, () => undefined);
  const cache = config.cache === undefined ? undefined : await cacheState(config.cache);
  const nodes = usable ? await probeNodes(config, engine, program, QUEUE_MS) : [];
  if (options.json)
    process.stdout.write(
      `${JSON.stringify({ engine: { name, kind: config.kind, ...state }, cache, nodes }, null, 2)}\n`,
    );
  else {
    const out = (first: string, rest: string) => process.stdout.write(`${first.padEnd(17)} ${rest}\n`);
    if (state.state === 'usable') out(name, `${styleText('green', 'usable')}      ${state.detail}`);
    else if (state.state === 'missing')
      out(name, `${styleText('red', 'missing')}     ${state.what}\n${' '.repeat(18)}${state.install}`);
    else out(name, `${styleText('red', 'broken')}      ${state.why}`);
    if (cache)
      out(
        'cache',
        `${cache.why === undefined ? styleText('green', 'usable') : styleText('red', 'broken')}      ${cache.why ?? config.cache}`,
      );
    for (const node of nodes) out(node.arch, lineOf(node));
  }
  return usable && cache?.why === undefined && nodes.every(({ facts }) => facts?.['harness']) ? 0 : 3;
}

/** Whether the remote cache answers: it is asked for an entry that there is not. */
async function cacheState(address: string): Promise<{ readonly address: string; readonly why?: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'harness-doctor-'));
  try {
    await openRemote(address).get('disk', '0'.repeat(20), folder, AbortSignal.timeout(10_000));
    return { address };
  } catch (error) {
    return { address, why: `${address}: ${messageOf(error)}` };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function lineOf({ facts, why }: ProbedNode): string {
  if (!facts) return `${styleText('red', 'broken')}      ${why}`;
  const { node = '', arch = '', harness = '', qemu = '', kvm = '', cache = '' } = facts;
  const said = [
    `${node} (${arch})`,
    harness === ''
      ? 'cannot call the harness: see `setup` and `harness` of the engine in machines.yaml'
      : `harness ${harness}`,
    qemu === '' ? 'no QEMU' : `QEMU of ${qemu}`,
    kvm === '' ? 'no KVM' : 'KVM',
    cache === '' ? 'no folder for its cache' : `${formatBytes(Number(cache) * 1024)} free for its cache`,
  ];
  return `${harness === '' ? styleText('red', 'broken') : styleText('green', 'usable')}      ${printable(said.join(', '))}`;
}
