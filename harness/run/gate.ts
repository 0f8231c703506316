import type { Suite } from '../config/suite.ts';
import type { TargetKind } from '../targets/target.ts';

/** What each kind of target has of what a suite may need. */
const CAPABILITIES: Readonly<Record<TargetKind, readonly string[]>> = {
  vm: ['system', 'root', 'power', 'network'],
  container: ['root', 'network'],
  ssh: ['system', 'network'],
  local: ['network'],
  command: ['system', 'network'],
};

/**
 * Why a suite cannot run on a kind of target, or undefined when it can. Asked before anything starts: what cannot work
 * costs no boot.
 */
export function unsupportedReason(kind: TargetKind, suite: Suite): string | undefined {
  const missing = suite.needs.filter((need) => !CAPABILITIES[kind].includes(need) && !bringsItself(need, suite));
  if (missing.length === 0) return undefined;
  const would = (Object.keys(CAPABILITIES) as TargetKind[]).filter((other) =>
    missing.every((need) => CAPABILITIES[other].includes(need)),
  );
  const advice = missing.includes('docker')
    ? 'put docker.io into its stack.packages'
    : would.length > 0
      ? `a target of kind ${would.join(' or ')} would do`
      : 'no kind of target would do';
  return `the suite needs ${missing.join(' and ')}, which a ${kind} target does not have: ${advice}`;
}

/** A stack can bring what the bare machine lacks. */
function bringsItself(need: string, suite: Suite): boolean {
  return need === 'docker' && suite.stack.packages.includes('docker.io');
}
