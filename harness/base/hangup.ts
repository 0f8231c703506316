import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

type Env = Readonly<Record<string, string | undefined>>;

/** SIGHUP's bit in the masks of `/proc/PID/status`. */
const SIGHUP_BIT = 1n;

/**
 * Whether this process was started so as to outlive its terminal, as by `nohup`: with SIGHUP ignored. Node resets an
 * ignored signal to its default before any of our code runs, so our own mask no longer tells. The program `harness`
 * saves the mask before it starts Node (the first line of harness/setup/harness.mjs); if it was started in another way,
 * `nohup` is the command that bash says it started, or the parent ignores the signal itself.
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
