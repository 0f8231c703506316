import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bounded, clip, clipCommand } from './log.ts';
import type { LogEntry } from './types.ts';

const printed = (text: string, stream: 'stdout' | 'stderr' = 'stdout', atMs = 0): LogEntry => ({
  type: 'printed',
  atMs,
  stream,
  text,
});
const command = (stdout: string): LogEntry => ({
  type: 'command',
  atMs: 0,
  argv: ['true'],
  exitCode: 0,
  stdout,
  stderr: '',
  durationMs: 1,
});

test('consecutive output of one stream is one entry, dated by its start', () => {
  expect(bounded([printed('a\n', 'stdout', 1), printed('b\n', 'stdout', 2), printed('c\n', 'stderr', 3)])).toEqual([
    printed('a\nb\n', 'stdout', 1),
    printed('c\n', 'stderr', 3),
  ]);
});

test('of too many entries the first and the last are kept, and the rest is counted', () => {
  const many = Array.from({ length: 1000 }, (_, index) => command(`answer ${index}`));
  const kept = bounded(many);
  expect(kept[0]).toEqual(many[0]);
  expect(kept.at(-1)).toEqual(many.at(-1));
  const cut = kept.find((entry) => entry.type === 'cut');
  expect(cut).toMatchObject({ entries: 1000 - (kept.length - 1) });
  expect(kept.length).toBeLessThanOrEqual(201);
});

test('an event stays small, and says where something is missing', () => {
  const entry = fc.oneof(
    fc
      .tuple(fc.string({ maxLength: 20_000 }), fc.constantFrom('stdout' as const, 'stderr' as const))
      .map(([text, stream]) => printed(text.repeat(5), stream)),
    fc.string({ maxLength: 4000 }).map(command),
  );
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 400 }), (entries) => {
      const kept = bounded(entries);
      const chars = kept.reduce(
        (sum, one) => sum + (one.type === 'printed' ? one.text.length : one.type === 'command' ? one.stdout.length : 0),
        0,
      );
      // The bounds, an entry at each edge of the cut, and the words that say what is missing.
      expect(chars).toBeLessThan(64 * 1024 + 3 * 8300);
      expect(kept.length).toBeLessThanOrEqual(202);
    }),
    { numRuns: 50 },
  );
});

test('a long text keeps its beginning and its end', () => {
  const text = clip(`first ${'x'.repeat(10_000)} last`, 100);
  expect(text).toMatch(/^first x+\n… 9911 characters left out …\nx+ last$/);
  expect(clip('short', 100)).toBe('short');
});

test('a command has bounds in every direction', () => {
  const argv = ['sh', '-c', 'y'.repeat(5000), ...Array.from({ length: 500 }, () => 'more')];
  const kept = clipCommand({ argv, stdout: 'o'.repeat(1e6), stderr: 'e'.repeat(1e6) });
  expect(JSON.stringify(kept).length).toBeLessThan(12_000);
  expect(kept.argv.at(-1)).toBe('… 403 words more');
});
