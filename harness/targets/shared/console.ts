import { open, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { lastLines, printable } from '../../base/text.ts';

/** The reason for a kernel panic. */
export const PANICKED = 'the kernel panicked';

/** Meanings of console lines for the guest's fate. */
const FATAL: readonly { readonly pattern: RegExp; readonly means: string }[] = [
  { pattern: /Kernel panic - not syncing/, means: PANICKED },
  { pattern: /harness-init: cannot (.*)/, means: 'the initramfs failed' },
  {
    pattern: /You are in (?:emergency|rescue) mode|Entering emergency mode|Give root password for maintenance/,
    means: 'the guest fell into an emergency shell',
  },
  { pattern: /Unable to mount root fs|Failed to execute \/init/, means: 'the kernel found no root file system' },
];

/** The line that the guest's SSH server prints once it accepts connections. */
export const SSH_LISTENS = /Server listening on .* port 22\./;

/** The guest's fate according to a console line, or undefined. */
export function fatalMeaning(line: string): string | undefined {
  return FATAL.find(({ pattern }) => pattern.test(line))?.means;
}

/** The most that is read of a console at once, so that a flood does not fill our memory. */
const CHUNK = 256 * 1024;

/**
 * Follows a console file from an offset, line by line, until the signal is aborted. The file is polled: QEMU writes it,
 * and inotify is not available in every container.
 */
export async function* followConsole(file: string, signal: AbortSignal, from = 0): AsyncGenerator<string> {
  let offset = from;
  let rest = '';
  while (!signal.aborted) {
    const [text, read] = await readFrom(file, offset);
    offset += read;
    rest = (rest + text).slice(-CHUNK);
    const lines = rest.split(/\r*\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) yield printable(line);
    if (read < CHUNK) await delay(100, undefined, { signal }).catch(() => {});
  }
}

/** The last lines of a console file, oldest first, printable. */
export async function consoleTail(file: string, count: number): Promise<string[]> {
  const size = await consoleSize(file);
  const [text] = await readFrom(file, Math.max(0, size - 64 * 1024));
  return lastLines(text, count);
}

/** Bytes in the console file now: the offset of new output. */
export async function consoleSize(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

async function readFrom(file: string, offset: number): Promise<[string, number]> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (!handle) return ['', 0];
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(CHUNK), 0, CHUNK, offset);
    return [buffer.toString('utf8', 0, bytesRead), bytesRead];
  } finally {
    await handle.close();
  }
}
