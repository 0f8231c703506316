import { resolve } from 'node:path';
import { initProject } from '../config/init.ts';

/** `harness init [folder]` */
export async function init(folder: string): Promise<number> {
  const files = await initProject(resolve(folder));
  for (const file of files) process.stdout.write(`wrote ${file}\n`);
  process.stdout.write('\nnext: npx harness run\n');
  return 0;
}
