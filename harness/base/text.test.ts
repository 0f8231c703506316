import { expect, test } from 'vitest';
import { lastLines, printable } from './text.ts';

test.each([
  // What systemd 257 sends a console before it writes to it.
  ['\u001b[!p\u001b]104\u0007\u001b[?7h[   52.17] sshd', '[   52.17] sshd'],
  ['\u001bP+q544e\u001b\\\u001b[0 qdone', 'done'],
  ['\u001b[1;31mred\u001b[0m \u001b]8;;http://x\u0007link\u001b]8;;\u0007', 'red link'],
  ['a\u001bPnever ended', 'anever ended'],
])('%j is %j in a log', (line, shown) => {
  expect(printable(line)).toBe(shown);
});

test('the last lines of a console are those with text', () => {
  expect(lastLines('one\r\n\u001b[!p\r\ntwo\r\r\n\u001b[0m', 2)).toEqual(['one', 'two']);
});
