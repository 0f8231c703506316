import { createWriteStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import type Dockerode from 'dockerode';
import { lastLines } from '../../base/text.ts';
import { withDeadline } from '../../base/time.ts';

/** Milliseconds for the last lines: the caller has a failure to report, and a dead engine answers nothing. */
const TAIL_MS = 5000;

/** The last lines of a container's output, printable; none if the engine does not answer. */
export async function logTail(container: Dockerode.Container, lines: number): Promise<string[]> {
  try {
    const late = () => new Error('no answer');
    const log = await withDeadline(container.logs({ stdout: true, stderr: true, tail: lines }), TAIL_MS, late);
    return lastLines(unframed(log), lines);
  } catch {
    return [];
  }
}

/**
 * Removes the frames of the engine's output: one byte for the stream, three of zero, four for the length.
 * Source: the Engine API's reference, "Attach to a container", stream format.
 */
export function unframed(log: Buffer): string {
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= log.length; ) {
    const end = at + 8 + log.readUInt32BE(at + 4);
    parts.push(log.subarray(at + 8, end));
    at = end;
  }
  return Buffer.concat(parts).toString();
}

/** Follows a container's log into a file until disposal. */
export interface FollowedLog extends Disposable {
  readonly file: string;
  /** `cut`: by the container's end or the engine's; `left`: by us. */
  readonly ended: Promise<'cut' | 'left'>;
}

/** Writes a container's output to a file. */
export async function followLog(container: Dockerode.Container, file: string): Promise<FollowedLog> {
  const log = (await container.logs({ stdout: true, stderr: true, follow: true })) as IncomingMessage;
  const both = new PassThrough();
  both.pipe(createWriteStream(file));
  container.modem.demuxStream(log, both, both);
  let left = false;
  const ended = finished(log)
    .catch(() => {})
    .then((): 'cut' | 'left' => {
      both.end();
      return left ? 'left' : 'cut';
    });
  return {
    file,
    ended,
    [Symbol.dispose]() {
      left = true;
      log.destroy();
    },
  };
}
