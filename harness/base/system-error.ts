/** Node's error for a failed system call. */
export interface SystemError extends Error {
  /** `ENOSPC`. */
  readonly code: string;
  readonly syscall: string;
  readonly path?: string;
  readonly dest?: string;
}

/** Whether the operating system refused a call: a full disk, a missing permission, too many open files. */
export function isSystemError(error: unknown): error is SystemError {
  const { code, syscall } = (error ?? {}) as Partial<SystemError>;
  return error instanceof Error && typeof syscall === 'string' && /^E[A-Z0-9]+$/.test(code ?? '');
}

const VERBS: Readonly<Record<string, string>> = {
  open: 'open',
  read: 'read',
  write: 'write',
  mkdir: 'create',
  mkdtemp: 'create a folder like',
  rename: 'replace',
  symlink: 'link',
  unlink: 'remove',
  rm: 'remove',
  rmdir: 'remove',
  scandir: 'list',
  opendir: 'list',
  stat: 'look at',
  lstat: 'look at',
  access: 'look at',
  copyfile: 'copy',
  spawn: 'start',
};

const NEXT: Readonly<Record<string, string>> = {
  ENOSPC: 'Free some space: `harness images gc` removes images that were not used for some days.',
  EDQUOT: 'Your quota is used up: free some space.',
  EROFS: 'Use a project, HARNESS_STATE and HARNESS_CACHE on file systems that can be written to.',
  EACCES: 'Look at who owns it and who may write there.',
  EPERM: 'Look at who owns it and who may write there.',
  ENOTDIR: 'Something on that path is a file where a folder is needed: move it away.',
  EEXIST: 'Something else is in its place: move it away.',
  EISDIR: 'There is a folder where a file is needed: move it away.',
  EMFILE: 'Allow this shell more open files: ulimit -n 4096',
  ENFILE: 'This machine has too many open files: end some programs.',
};

/**
 * A system error in the form of our own errors, on one line.
 * @returns the message, `cannot <verb> <path>: <cause>`, and the next step where there is a usual one.
 */
export function systemErrorText(error: SystemError): { readonly message: string; readonly hint?: string } {
  const { code, syscall, path, dest } = error;
  if (syscall === 'uv_cwd')
    return { message: 'cannot find the current folder: it was removed', hint: 'Change to an existing folder.' };
  // Node's form: `ENOSPC: no space left on device, write '/x'`.
  const cause = /^[A-Z0-9]+: (.*?), \w+/.exec(error.message)?.[1] ?? error.message;
  const verb = VERBS[syscall.split(' ')[0]!] ?? syscall;
  const hint = NEXT[code];
  const where = dest ?? path;
  return {
    message: `cannot ${verb}${where === undefined ? '' : ` ${where}`}: ${cause}`,
    ...(hint === undefined ? {} : { hint }),
  };
}
