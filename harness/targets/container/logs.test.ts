import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unframed } from './logs.ts';

/** As the engine sends it: each chunk behind a header of eight bytes. */
function framed(chunks: readonly { readonly stream: number; readonly text: string }[]): Buffer {
  return Buffer.concat(
    chunks.flatMap(({ stream, text }) => {
      const body = Buffer.from(text);
      const header = Buffer.alloc(8);
      header[0] = stream;
      header.writeUInt32BE(body.length, 4);
      return [header, body];
    }),
  );
}

test('a log without its frames is the output in order', () => {
  const chunk = fc.record({ stream: fc.constantFrom(1, 2), text: fc.string({ unit: 'grapheme' }) });
  fc.assert(
    fc.property(fc.array(chunk), (chunks) => {
      expect(unframed(framed(chunks))).toBe(chunks.map(({ text }) => text).join(''));
    }),
  );
});

test('of a truncated frame the existing part is kept', () => {
  const whole = framed([
    { stream: 1, text: 'one\n' },
    { stream: 2, text: 'two\n' },
  ]);
  expect(unframed(whole.subarray(0, -2))).toBe('one\ntw');
  expect(unframed(whole.subarray(0, 15))).toBe('one\n');
});
