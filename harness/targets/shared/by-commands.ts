import { InfraError } from '../../base/errors.ts';
import type { Endpoint, Target } from '../target.ts';

/** Milliseconds for a file on its way. */
const FILE_MS = 60_000;

/**
 * base64 keeps bytes intact in text. The exit code tells whether the file could be read: standard error may contain a
 * shell's complaint about a locale.
 */
const READ = 'exec 4>&1; s=$({ { head -c "$2" -- "$1"; echo "$?" >&3; } | base64 -w0 >&4; } 3>&1); exit "$s"';

/** Reads and writes files on a target that can run commands: `sh`, `head` and `base64` are in every Debian. */
export function filesBy(exec: Target['exec']): Pick<Target, 'read' | 'write'> {
  return {
    async write(path, content, options = {}) {
      const mode = (options.mode ?? 0o644).toString(8);
      const script = 'mkdir -p "$(dirname "$1")" && cat > "$1" && chmod "$2" "$1"';
      const { exitCode, stderr } = await exec(['sh', '-c', script, 'write', path, mode], {
        stdin: content,
        deadlineMs: FILE_MS,
      });
      if (exitCode !== 0) throw new InfraError(`cannot write ${path} on the target: ${stderr.trim()}`);
    },
    async read(path, options = {}) {
      const limit = options.maxBytes ?? 8 * 2 ** 20;
      const { exitCode, stdout, stderr } = await exec(['sh', '-c', READ, 'read', path, String(limit)], {
        deadlineMs: FILE_MS,
      });
      if (exitCode !== 0) throw new InfraError(`cannot read ${path} on the target: ${stderr.trim()}`);
      return Buffer.from(stdout, 'base64');
    },
  };
}

/** The address of a target's port on this host. @throws InfraError for a port that was not requested. */
export function endpointOf(ports: Readonly<Record<string, number>>, port: number): Endpoint {
  const local = ports[String(port)];
  if (local === undefined)
    throw new InfraError(`cannot reach port ${port} of the target: the suite's stack does not name it`);
  return { host: '127.0.0.1', port: local };
}
