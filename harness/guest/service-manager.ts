import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlainFile } from '../images/files.ts';

/** Path of the manager of services in a system that has it in place of systemd. */
export const SERVICES = '/usr/lib/harness/services';

/** The files of the manager of services, `harness/guest/services`, in such a system. */
export async function serviceFiles(): Promise<PlainFile[]> {
  const folder = join(import.meta.dirname, 'services');
  return Promise.all(
    (await readdir(folder)).sort().map(async (name) => ({
      path: `${SERVICES}/${name}`,
      mode: name.endsWith('.pl') ? '0755' : '0644',
      content: await readFile(join(folder, name)),
    })),
  );
}
