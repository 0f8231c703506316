/** What the set-up says goes to stderr: stdout belongs to the command's data. @param {string} line */
export function say(line) {
  process.stderr.write(`set-up: ${line}\n`);
}

/** A step of the set-up that cannot be done. `code` is the process's exit code: 2 asks for the user, 3 is the machine's. */
export class SetupError extends Error {
  /** @param {string} message @param {2 | 3} code */
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

/** @param {number} startedAt milliseconds, from `Date.now()` */
export function since(startedAt) {
  return `${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
}
