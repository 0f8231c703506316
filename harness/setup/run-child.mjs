import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** Milliseconds within which signals count as one, as in harness/cli/interrupt.ts. */
const PAUSE_MS = 1500;

/**
 * Runs a program in this one's place: same terminal, same signals, same exit code. Resolves when it has ended.
 *
 * A signal may have been sent to this process alone, or to the whole process group (Ctrl-C, `timeout`, `kill --
 * -PGID`), and nothing says which. It is passed on, once for all that come within a moment: the child takes signals
 * without a pause between them for one. Only Ctrl-C on a terminal is known to have reached the child. Either way this
 * process waits: the child still has targets to release and reports to write. Whether a hangup ends it, is the child's
 * to say.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string }} [options]
 * @returns {Promise<number>} its exit code; 128 + n after signal n; 127 when it could not be started
 */
export function runChild(program, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'inherit', ...options });
    let passedAt = Number.NEGATIVE_INFINITY;
    /** @type {(signal: NodeJS.Signals) => void} */
    const pass = (signal) => {
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      const now = performance.now();
      if (now - passedAt < PAUSE_MS) return;
      passedAt = now;
      child.kill(signal);
    };
    /** @type {readonly NodeJS.Signals[]} */
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, pass);
    /** @param {number} code */
    const end = (code) => {
      for (const signal of signals) process.off(signal, pass);
      resolve(code);
    };
    child.on('error', (error) => {
      process.stderr.write(`cannot start ${program}: ${error.message}\n`);
      end(127);
    });
    child.on('exit', (code, signal) => end(code ?? 128 + constants.signals[signal ?? 'SIGTERM']));
  });
}
