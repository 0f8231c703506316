/** Prints to stderr, because stdout is for the command's data. @param {string} line */
export function say(line) {
  process.stderr.write(`set-up: ${line}\n`);
}

/** A step of the set-up that failed. `code` is the exit code: 2 if the user has to act, 3 for a fault of the machine. */
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
