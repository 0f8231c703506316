import { packetAt, SIGNATURE, type SubunitPacket } from './subunit-packet.ts';
import type { FormatResults, FoundTest, ResultsFormat, ResultsLimits, ResultsProblem } from './types.ts';

/**
 * subunit version 2, as written by `stestr last --subunit` and Tempest. Bytes between packets are skipped with a
 * warning; a broken packet is skipped, and makes the file incomplete.
 */
export const subunit: ResultsFormat = {
  about: 'subunit v2, as stestr, Tempest and testtools write it',
  read: readSubunit,
};

/** A file with this many broken packets is not a stream: searching for the next one costs up to 4 MiB each. */
const MOST_BROKEN = 100;

interface Running {
  readonly id: string;
  started?: number;
  ended?: number;
  status?: Exclude<SubunitPacket['status'], 'exists' | 'in progress'>;
  reason: string;
  traceback: string;
  output: string;
}

function readSubunit(bytes: Uint8Array, limits: ResultsLimits): FormatResults {
  const problems: ResultsProblem[] = [];
  const running = new Map<string, Running>();
  const ended: Running[] = [];
  const lastOf = new Map<string, Running>();
  let [garbage, broken] = [0, 0];
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] !== SIGNATURE) {
      const next = bytes.indexOf(SIGNATURE, at);
      garbage += (next < 0 ? bytes.length : next) - at;
      at = next < 0 ? bytes.length : next;
      continue;
    }
    const packet = packetAt(bytes, at);
    if (packet === 'short' || packet === 'broken') {
      broken += 1;
      // A length beyond the end may itself be broken, and the data after it intact.
      if (packet === 'short' && bytes.indexOf(SIGNATURE, at + 1) < 0) break;
      if (broken >= MOST_BROKEN) break;
      at += 1;
      continue;
    }
    at += packet.length;
    if (packet.testId === undefined) continue;
    if (ended.length + running.size >= limits.tests) {
      problems.push({ kind: 'too large', severity: 'error', message: `it has more than ${limits.tests} tests` });
      break;
    }
    take(packet, { running, ended, lastOf }, limits);
  }
  if (broken > 0) {
    const message = `${broken === 1 ? 'a packet of it is' : `${broken} packets of it are`} broken or cut off`;
    problems.push({ kind: 'truncated', severity: 'error', message });
  }
  if (garbage > 0)
    problems.push({ kind: 'garbage', severity: 'warning', message: `${garbage} of its bytes are in no packet` });
  return { tests: [...ended, ...running.values()].map(testOf), problems };
}

interface Tests {
  readonly running: Map<string, Running>;
  readonly ended: Running[];
  readonly lastOf: Map<string, Running>;
}

function take(packet: SubunitPacket, { running, ended, lastOf }: Tests, limits: ResultsLimits): void {
  const id = packet.testId!;
  if (packet.status === 'exists') return;
  // Attachments of a test may follow its end.
  let test = running.get(id) ?? (packet.status === undefined ? lastOf.get(id) : undefined);
  if (!test) {
    test = { id, reason: '', traceback: '', output: '' };
    running.set(id, test);
  }
  if (packet.file) attach(test, packet, limits);
  if (packet.status === undefined) return;
  if (packet.status === 'in progress') {
    if (packet.timestamp !== undefined) test.started ??= packet.timestamp;
    return;
  }
  test.status = packet.status;
  if (packet.timestamp !== undefined) test.ended = packet.timestamp;
  running.delete(id);
  ended.push(test);
  lastOf.set(id, test);
}

/** Texts by name, as in testtools; other attachments are left out. */
function attach(test: Running, { file, mime = 'text/plain' }: SubunitPacket, { text }: ResultsLimits): void {
  if (!/^text\/|json|xml/.test(mime)) return;
  const words = new TextDecoder().decode(file!.bytes.subarray(0, 4 * text));
  if (words === '') return;
  const where = file!.name === 'reason' ? 'reason' : mime.startsWith('text/x-traceback') ? 'traceback' : 'output';
  if (test[where].length > text) return;
  // Attachments come in pieces with one name.
  const title = where === 'output' && !test.output.includes(`--- ${file!.name} ---\n`) ? `--- ${file!.name} ---\n` : '';
  test[where] += `${title}${words}`;
}

const VERDICTS = {
  success: 'passed',
  'unexpected success': 'unexpected success',
  skipped: 'skipped',
  failed: 'failed',
  'expected failure': 'expected failure',
} as const;

function testOf({ id, started, ended, status, reason, traceback, output }: Running): FoundTest {
  const durationMs = started !== undefined && ended !== undefined ? ended - started : undefined;
  const isBad = status === 'failed' || status === undefined;
  return {
    ...placeOf(id),
    ...(durationMs === undefined ? {} : { durationMs }),
    verdict: status === undefined ? 'error' : VERDICTS[status],
    ...(isBad ? { message: status === undefined ? 'it never ended' : messageOf(traceback) } : {}),
    ...(reason === '' ? {} : { reason }),
    ...(traceback === '' ? {} : { details: traceback }),
    ...(output === '' ? {} : { output }),
  };
}

/** `package.module.Class.test_name[id-1](scenario)`: dots separate only before the first bracket. */
function placeOf(id: string): Pick<FoundTest, 'suites' | 'name'> {
  const bracket = id.search(/[[( ]/);
  const dotted = bracket < 0 ? id : id.slice(0, bracket);
  const dot = dotted.lastIndexOf('.');
  if (dot < 0) return { suites: [], name: id };
  return { suites: id.slice(0, dot).split('.'), name: id.slice(dot + 1) };
}

/** The last line of a traceback is the exception. */
function messageOf(traceback: string): string {
  return traceback.trimEnd().split('\n').at(-1)?.trim() || 'failed';
}
