import { InfraError } from '../../base/errors.ts';
import type { TargetSpec, VmRequest } from '../target.ts';

/** The requirements of a machine, which always starts from an image. */
export type VmSpec = Omit<TargetSpec, 'vm' | 'system'> & VmRequest & Required<Pick<VmRequest, 'image'>>;

/** @throws InfraError for a specification without an image. */
export function vmSpec({ vm, system: _, ...spec }: TargetSpec): VmSpec {
  const { image } = vm;
  if (!image) throw new InfraError('cannot start a machine: it has no image');
  return { ...spec, ...vm, image };
}
