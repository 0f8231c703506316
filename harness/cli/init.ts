import { resolve } from 'node:path';
import { initProject } from '../config/init.ts';

/** `harness init [folder]` */
export async function init(folder: string): Promise<number> {
  for (const { path, state } of await initProject(resolve(folder))) process.stdout.write(`${state} ${path}\n`);
  process.stdout.write('\nnext: npx harness run\n');
  return 0;
}
