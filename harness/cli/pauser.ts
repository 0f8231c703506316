import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../base/errors.ts';
import { identify } from '../base/process.ts';
import { printable } from '../base/text.ts';
import type { WaitForPerson } from '../run/schedule/pause.ts';

/** The file in which a paused run names the process to resume. */
export const PAUSED_FILE = 'paused.json';
/** Resumes a paused run. */
export const RESUME_SIGNAL = 'SIGUSR2';

/**
 * Pauses a run for somebody at this terminal.
 * @param minutes after which it continues by itself; absent: never.
 * @throws ConfigError if there is no terminal, and nothing else that would end the pause.
 */
export function pauser(minutes: number | undefined): WaitForPerson {
  if (process.stdin.isTTY !== true && minutes === undefined)
    throw new ConfigError('--pause waits for somebody, and there is no terminal', {
      hint: 'Say for how long at most, --pause-minutes 30, and go on before with: harness resume',
    });
  return async ({ cell, folder, what, why }, signal) => {
    const file = join(folder, PAUSED_FILE);
    await writeFile(file, JSON.stringify({ ...identify(process.pid), cell }));
    const enter = process.stdin.isTTY === true ? 'press Enter here, or in another terminal: ' : '';
    const later = minutes === undefined ? '' : ` (it continues by itself after ${minutes} min)`;
    process.stderr.write(
      [
        '',
        `paused  ${cell}  ${printable(what)}`,
        ...why.split('\n', 5).map((line) => `    ${printable(line)}`),
        `    its machine is as it was left. Enter it in another terminal:  npx harness shell ${cell}`,
        `    continue:  ${enter}npx harness resume${later}`,
        '',
      ].join('\n'),
    );
    await continued(minutes, signal);
    await rm(file, { force: true });
    if (!signal.aborted) process.stderr.write(`resumed  ${cell}\n`);
  };
}

/** Resolves on Enter, on the signal, when the time is up, or when the run is ended. */
function continued(minutes: number | undefined, signal: AbortSignal): Promise<void> {
  const { stdin } = process;
  return new Promise((resolve) => {
    const timer = minutes === undefined ? undefined : setTimeout(end, minutes * 60_000);
    function end() {
      clearTimeout(timer);
      process.off(RESUME_SIGNAL, end);
      signal.removeEventListener('abort', end);
      stdin.off('data', end);
      stdin.pause();
      resolve();
    }
    process.on(RESUME_SIGNAL, end);
    signal.addEventListener('abort', end, { once: true });
    if (stdin.isTTY === true) stdin.on('data', end).resume();
  });
}
