import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

type Env = Readonly<Record<string, string | undefined>>;

/** SIGHUP's bit in the masks of `/proc/PID/status`. */
const SIGHUP_BIT = 1n;

/**
 * Whether whoever started this process wanted it to outlive its terminal, as `nohup` does: it ignored SIGHUP. Node takes
 * an ignored signal back to its default before any code of ours runs, so our own mask says nothing any more. The program
 * `harness` notes the mask before it starts Node (the first line of harness/setup/harness.mjs); where it was started in
 * another way, `nohup` is what bash says that it started, or the parent ignores the signal itself.
 */
export function hangupIsIgnored(env: Env = process.env, parent: string = statusOf(process.ppid)): boolean {
  const noted = env['HARNESS_SIGIGN'];
  if (noted !== undefined && has(noted)) return true;
  return basename(env['_'] ?? '') === 'nohup' || has(/^SigIgn:\s*([0-9a-f]+)/m.exec(parent)?.[1]);
}

function has(mask: string | undefined): boolean {
  return mask !== undefined && /^[0-9a-f]+$/i.test(mask) && (BigInt(`0x${mask}`) & SIGHUP_BIT) !== 0n;
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}
