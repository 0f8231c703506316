import type { Arch } from '../arch/index.ts';

const SYSTEM_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The configuration of an image of one layer. Source: the image specification v1.2 of moby, which engines read since 1.10. */
export function imageConfiguration(
  arch: Arch,
  diff: string,
  { Env = [], ...config }: Readonly<Record<string, unknown>> & { readonly Env?: readonly string[] },
): unknown {
  const created = '1970-01-01T00:00:00Z';
  return {
    architecture: arch.docker.split('/')[1],
    os: 'linux',
    created,
    config: { Env: [SYSTEM_PATH, ...Env], ...config },
    rootfs: { type: 'layers', diff_ids: [`sha256:${diff}`] },
    history: [{ created, created_by: 'multiarch-harness' }],
  };
}
