import { lastLines } from '../../base/text.ts';

/** A line of Compose 2's log that is no reason: `time="…" level=warning msg="…"`. */
const REMARK = /^time="[^"]*" level=(?:warning|info|debug) /;

/**
 * Why Compose refuses some files, in its own words: the end of what it said, without its remarks on what it accepts.
 * @returns at most 8 lines; empty if it said nothing.
 */
export function refusalOf(said: string): string {
  const reasons = said.split('\n').filter((line) => !REMARK.test(line));
  return lastLines(reasons.join('\n'), 8).join('\n');
}
