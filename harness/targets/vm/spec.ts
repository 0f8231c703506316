import { InfraError } from '../../base/errors.ts';
import type { TargetSpec, VmRequest } from '../target.ts';

/** What a machine is asked for, which is always started from an image. */
export type VmSpec = Omit<TargetSpec, 'vm' | 'system'> & VmRequest & Required<Pick<VmRequest, 'image'>>;

/** @throws InfraError for a specification without an image. */
export function vmSpec({ vm, system: _, ...spec }: TargetSpec): VmSpec {
  const { image } = vm;
  if (!image) throw new InfraError('cannot start a machine: it has no image');
  return { ...spec, ...vm, image };
}
