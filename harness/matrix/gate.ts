import { type ArchName, architectures } from '../arch/index.ts';
import { InfraError, UnsupportedError } from '../base/errors.ts';
import type { Suite } from '../config/suite.ts';
import { deployersOf } from '../stacks/deployers.ts';
import { kindsWith, type TargetKind } from '../targets/kinds.ts';
import { describeLacks, targetWithArticle } from '../targets/lacking.ts';
import type { Providers } from '../targets/providers.ts';
import type { Availability, Capability, Lack, Needs } from '../targets/target.ts';
import type { Cell } from './cell.ts';
import { type BlankCellNode, blanksOf, firmwareOf, isCluster, nodeArchsOf } from './nodes.ts';

type AskedCell = Pick<Cell, 'target' | 'arch' | 'suite'>;

/** A suite's needs, including implicit ones: several machines, or resetting them. */
export function needsOf(suite: Suite): Needs {
  const named = suite.needs.filter((need) => typeof need === 'string');
  const listed = <K extends string>(key: K) =>
    suite.needs.flatMap((need) =>
      typeof need === 'string' || !(key in need) ? [] : (need as Record<K, string[]>)[key],
    );
  return {
    capabilities: [
      ...new Set([
        ...named,
        ...(isCluster({ suite }) ? (['cluster'] as const) : []),
        ...deployersOf(suite).flatMap(({ needs = [] }) => needs),
      ]),
    ],
    kernelModules: listed('kernel-modules'),
    tags: listed('tags'),
    memoryBytes: suite.machine.memory * 2 ** 20,
    packages: suite.stack.packages,
  };
}

/**
 * Why a cell cannot run, in words, or undefined if it can. Checked before anything starts, so that an impossible cell
 * costs no boot.
 */
export function unsupportedReason(cell: AskedCell, providers: Providers): Promise<string | undefined> {
  return firstReason(cell, providers, reasonOf);
}

/**
 * Checks that a cell can be started: whether this kind of target can ever meet the suite's needs, then whether it is
 * available and works. Called before an image is built, which takes minutes.
 * @throws UnsupportedError if it cannot.
 * @throws InfraError with the next step, if it is missing or broken.
 */
export async function checkTarget(cell: AskedCell, providers: Providers): Promise<void> {
  const unsupported = await unsupportedReason(cell, providers);
  if (unsupported !== undefined) throw new UnsupportedError(unsupported);
  const provider = await providers(cell.target);
  for (const arch of nodeArchsOf(cell))
    requireUsable(cell.target, arch, await provider.probe(arch, needsOf(cell.suite)));
  for (const { arch, firmware } of startable(cell))
    requireUsable(cell.target, arch, await provider.blanks!.probe(architectures[arch], firmware));
}

/** A cell's blank nodes that something can start. */
function startable(cell: AskedCell) {
  return blanksOf(cell).flatMap((node) => {
    const firmware = firmwareOf(node);
    return firmware ? [{ ...node, firmware }] : [];
  });
}

/** Why there can be no such blank node, whatever the target. */
function whyNotBlank(node: BlankCellNode): string | undefined {
  if (firmwareOf(node)) return undefined;
  const { firmware } = architectures[node.arch].qemu;
  const which = node.blank.firmware === undefined ? 'blank nodes' : `blank nodes with ${node.blank.firmware}`;
  const there = firmware.length > 0 ? `, only with ${firmware.map(({ name }) => name).join(', ')}` : '';
  return `there are no ${which} of ${node.arch}${there}: ${node.name} needs one`;
}

/** The availability, if it can be used. @throws UnsupportedError or InfraError as `checkTarget` does. */
export function requireUsable(
  kind: TargetKind,
  arch: ArchName,
  availability: Availability,
): Extract<Availability, { state: 'usable' }> {
  switch (availability.state) {
    case 'usable':
      return availability;
    case 'missing':
      throw new InfraError(`cannot start a ${kind}: ${availability.what} is missing`, { hint: availability.install });
    case 'broken':
      throw new InfraError(availability.why, availability.hint === undefined ? {} : { hint: availability.hint });
    case 'impossible':
      throw new UnsupportedError(`a ${kind} of ${arch} is not possible here: ${availability.why}`);
    case 'lacking':
      throw new UnsupportedError(`a ${kind} of ${arch} is not enough for the suite`);
  }
}

/** The first kind of target of an ordered preference that can run a suite, and why those before it cannot. */
export async function preferredKind(
  kinds: readonly [TargetKind, ...TargetKind[]],
  cell: Pick<Cell, 'arch' | 'suite'>,
  providers: Providers,
): Promise<{ readonly target: TargetKind; readonly passedOver: readonly string[] }> {
  const passedOver: string[] = [];
  for (const target of kinds) {
    const why = await firstReason({ ...cell, target }, providers, whyNot);
    if (why === undefined) return { target, passedOver };
    passedOver.push(`${target}: ${why}`);
  }
  // None will do: the last one is reported as unsupported or missing when the cell runs.
  return { target: kinds.at(-1)!, passedOver: passedOver.slice(0, -1) };
}

/** A missing or broken kind can be fixed: it does not make a cell unsupported, but another kind is preferable. */
const whyNot: typeof reasonOf = (availability, ...asked) => {
  if (availability.state === 'missing') return `${availability.what} is missing`;
  if (availability.state === 'broken') return availability.why;
  return reasonOf(availability, ...asked);
};

/** Probes the provider for each architecture of a cell's machines, until one is unavailable. */
async function firstReason(
  { target, arch, suite }: AskedCell,
  providers: Providers,
  reason: typeof reasonOf,
): Promise<string | undefined> {
  const needs = needsOf(suite);
  for (const one of nodeArchsOf({ arch, suite })) {
    const why =
      reason(await (await providers(target)).probe(one, needs), target, one, needs) ?? undeployable(suite, one);
    if (why !== undefined) return why;
  }
  return blanksOf({ arch, suite })
    .map(whyNotBlank)
    .find((why) => why !== undefined);
}

/** Why a suite's stack cannot be brought up on an architecture, whatever the target. */
function undeployable(suite: Suite, arch: ArchName): string | undefined {
  for (const deployer of deployersOf(suite)) {
    const why = deployer.unsupported?.(suite, arch);
    if (why !== undefined) return why;
  }
  return undefined;
}

function reasonOf(
  availability: Availability,
  kind: TargetKind,
  arch: ArchName,
  { capabilities }: Needs,
): string | undefined {
  if (availability.state === 'impossible')
    return `${targetWithArticle(kind)} of ${arch} is not possible here: ${availability.why}`;
  if (availability.state !== 'lacking') return undefined;
  const { lacks } = availability;
  return `the suite needs ${describeLacks(lacks)}: ${adviceFor(lacks, capabilities)}`;
}

function adviceFor(lacks: readonly Lack[], capabilities: readonly Capability[]): string {
  const would = kindsWith(capabilities);
  if (lacks.every(({ scope }) => scope === 'machine')) return 'another machine may';
  return would.length > 0 ? `a target of kind ${would.join(' or ')} would do` : 'no kind of target would do';
}
