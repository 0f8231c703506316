import { InfraError } from '../../base/errors.ts';
import type { TargetSpec } from '../target.ts';

/** What a machine is asked for, which is always started from an image. */
export type VmSpec = TargetSpec & Required<Pick<TargetSpec, 'image'>>;

/** @throws InfraError for a specification without an image. */
export function vmSpec(spec: TargetSpec): VmSpec {
  const { image } = spec;
  if (!image) throw new InfraError('cannot start a machine: it has no image');
  return { ...spec, image };
}
