import { crc32 } from 'node:zlib';
import type { RunResult } from '../harness/events/result.ts';
import { type Case, casesOf } from './cases.ts';
import { oneFile, type ReportPlace } from './report.ts';

/** A packet's first byte. */
const SIGNATURE = 0xb3;
const VERSION = 0x2000;
const HAS = {
  testId: 0x0800,
  runnable: 0x0100,
  timestamp: 0x0200,
  tags: 0x0080,
  mime: 0x0020,
  file: 0x0040,
  eof: 0x0010,
};
/** A packet is less than 4 MiB long; longer text is split. */
const CHUNK = 2 ** 20;
const STATUS = { none: 0, inprogress: 2, success: 3, skip: 5, fail: 6, xfail: 7 } as const;

interface Packet {
  readonly id: string;
  readonly status: keyof typeof STATUS;
  readonly atMs?: number;
  readonly tags?: readonly string[];
  readonly file?: { readonly name: string; readonly mime: string; readonly content: Buffer; readonly eof: boolean };
}

/**
 * subunit v2, as OpenStack's tools read it: a test is in progress, has its failure as a file, and then its status.
 * Non-voting failures are `xfail`, an expected failure.
 * Source: https://github.com/testing-cabal/subunit#version-2
 */
export function renderSubunit(run: RunResult, { folder }: ReportPlace): Uint8Array {
  return Buffer.concat(casesOf(run, folder).flatMap(packetsOf).map(encode));
}

function packetsOf({ id, cell, test, outcome, startMs, stopMs }: Case): Packet[] {
  const bad = outcome.state === 'failure' || outcome.state === 'error';
  const status = bad ? (cell.voting ? 'fail' : 'xfail') : outcome.state === 'skipped' ? 'skip' : 'success';
  const tags = [cell.arch, cell.target, cell.suite, ...(cell.release ? [cell.release] : [])];
  return [
    { id, status: 'inprogress', atMs: startMs, tags },
    ...(bad && outcome.text ? fileOf(id, 'traceback', outcome.text) : []),
    ...(outcome.state === 'skipped' && outcome.message ? fileOf(id, 'reason', outcome.message) : []),
    ...(test?.output ? fileOf(id, 'stdout', test.output) : []),
    { id, status, atMs: stopMs, tags },
  ];
}

function fileOf(id: string, name: string, text: string): Packet[] {
  const bytes = Buffer.from(text.toWellFormed());
  const mime = `text/${name === 'traceback' ? 'x-traceback' : 'plain'};charset=utf8`;
  const count = Math.max(1, Math.ceil(bytes.length / CHUNK));
  return Array.from({ length: count }, (_, index) => ({
    id,
    status: 'none' as const,
    file: { name, mime, content: bytes.subarray(index * CHUNK, (index + 1) * CHUNK), eof: index === count - 1 },
  }));
}

function encode({ id, status, atMs, tags = [], file }: Packet): Buffer {
  const flags =
    VERSION |
    HAS.testId |
    HAS.runnable |
    (atMs === undefined ? 0 : HAS.timestamp) |
    (tags.length > 0 ? HAS.tags : 0) |
    (file ? HAS.file | HAS.mime | (file.eof ? HAS.eof : 0) : 0) |
    STATUS[status];
  const body = Buffer.concat([
    ...(atMs === undefined ? [] : [timeOf(atMs)]),
    textOf(id),
    ...(tags.length > 0 ? [numberOf(tags.length), ...tags.map(textOf)] : []),
    ...(file ? [textOf(file.mime), textOf(file.name), numberOf(file.content.length), file.content] : []),
  ]);
  // The length includes itself, the three bytes before it and the checksum of four after it.
  const fixed = 3 + body.length + 4;
  const size = [1, 2, 3].find((bytes) => fixed + bytes < 2 ** (8 * bytes - 2))!;
  const packet = Buffer.concat([
    Buffer.from([SIGNATURE, flags >> 8, flags & 0xff]),
    numberOf(fixed + size, size),
    body,
  ]);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(packet));
  return Buffer.concat([packet, sum]);
}

/** Seconds, and nanoseconds of a variable length. */
function timeOf(ms: number): Buffer {
  const seconds = Buffer.alloc(4);
  seconds.writeUInt32BE(Math.floor(ms / 1000));
  return Buffer.concat([seconds, numberOf(Math.round((ms % 1000) * 1e6))]);
}

function textOf(text: string): Buffer {
  const bytes = Buffer.from(text.toWellFormed());
  return Buffer.concat([numberOf(bytes.length), bytes]);
}

/** A number of up to 30 bits: the first two say how many bytes follow. */
function numberOf(value: number, size = [1, 2, 3, 4].find((bytes) => value < 2 ** (8 * bytes - 2))!): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntBE(value, 0, size);
  bytes.writeUInt8(bytes.readUInt8() | ((size - 1) << 6));
  return bytes;
}

export const subunit = oneFile({
  name: 'subunit',
  path: 'results.subunit',
  about: "subunit v2, for OpenStack's tools",
  render: renderSubunit,
});
