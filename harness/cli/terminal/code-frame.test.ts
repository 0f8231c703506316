import { expect, test } from 'vitest';
import { codeFrame } from './code-frame.ts';

const source = 'one\ntwo\n\tthree(four)\nfive\nsix\nseven\n';

test('two lines before and after, and the column', () => {
  expect(codeFrame(source, 3, 8)).toEqual([
    '  1 | one',
    '  2 | two',
    '> 3 |     three(four)',
    '    |           ^',
    '  4 | five',
    '  5 | six',
  ]);
});

test('fewer lines at the ends of a file, and none for a line that does not exist', () => {
  expect(codeFrame(source, 1)).toEqual(['> 1 | one', '  2 | two', '  3 |     three(four)']);
  expect(codeFrame(source, 9)).toEqual([]);
  expect(codeFrame(source, 0)).toEqual([]);
});

test('the content of a file cannot control a terminal, nor be wider than it', () => {
  const [line] = codeFrame(`\u001b[2Jx${'y'.repeat(500)}`, 1, 400);
  expect(line).toBe(`> 1 | x${'y'.repeat(109)}`);
});
