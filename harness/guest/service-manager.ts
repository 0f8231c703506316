import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageFile } from '../images/disk.ts';

/** Where the manager of services lies in a system that has it in systemd's place. */
export const SERVICES = '/usr/lib/harness/services';

/** The manager of services, `harness/guest/services`, as it lies in such a system. */
export async function serviceFiles(): Promise<ImageFile[]> {
  const folder = join(import.meta.dirname, 'services');
  return Promise.all(
    (await readdir(folder)).sort().map(async (name) => ({
      path: `${SERVICES}/${name}`,
      mode: name.endsWith('.pl') ? '0755' : '0644',
      content: await readFile(join(folder, name)),
    })),
  );
}
