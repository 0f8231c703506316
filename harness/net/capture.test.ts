import { expect, test } from 'vitest';
import { Capture } from './capture.ts';

/** A frame of some bytes with its length in front, which begins with a number. */
function frame(bytes: number, number: number): Buffer {
  const whole = Buffer.alloc(4 + bytes);
  whole.writeUInt32BE(bytes, 0);
  whole.writeUInt32BE(number, 4);
  return whole;
}

/** The frames of a capture file. */
function read(file: Buffer): { atMs: number; kept: number; length: number; number: number }[] {
  expect(file.readUInt32LE(0)).toBe(0xa1b2c3d4);
  const frames = [];
  for (let at = 24; at < file.length; at += 16 + file.readUInt32LE(at + 8))
    frames.push({
      atMs: file.readUInt32LE(at) * 1000 + file.readUInt32LE(at + 4) / 1000,
      kept: file.readUInt32LE(at + 8),
      length: file.readUInt32LE(at + 12),
      number: file.readUInt32BE(at + 16),
    });
  return frames;
}

test('frames are kept with their time and length, long ones in part', () => {
  const capture = new Capture();
  capture.add(frame(60, 1), 1_700_000_000_123.25);
  capture.add(frame(1514, 2), 1_700_000_000_124);
  expect(read(capture.pcap())).toEqual([
    { atMs: 1_700_000_000_123.25, kept: 60, length: 60, number: 1 },
    { atMs: 1_700_000_000_124, kept: 600, length: 1514, number: 2 },
  ]);
});

test('of too many frames the last ones are kept', () => {
  const capture = new Capture();
  const many = 10_000;
  for (let number = 1; number <= many; number += 1) capture.add(frame(1514, number), number);
  const numbers = read(capture.pcap()).map(({ number }) => number);
  expect(numbers.length).toBeGreaterThan(1700);
  expect(numbers.length).toBeLessThan(3500);
  expect(numbers).toEqual(Array.from(numbers, (_, index) => many - numbers.length + 1 + index));
});
