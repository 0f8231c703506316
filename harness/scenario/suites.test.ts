import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const folder = join(import.meta.dirname, '../../suites');
const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

/** A fixed deadline in milliseconds, which a fast host keeps and a busy one does not. */
const OWN_DEADLINE =
  /AbortSignal\.timeout\((?!deadlineMs|ms\b)|\btimeout(?:Ms)?\s*[:=]\s*[\d(]|\bsetTimeout\(|\btimeout \d/;

test('there are suites to check', () => {
  expect(sources.length).toBeGreaterThan(10);
});

test.each(sources)('the deadlines of suites/%s go through the harness', (name) => {
  const lines = readFileSync(join(folder, name), 'utf8').split('\n');
  expect(lines.filter((line) => OWN_DEADLINE.test(line))).toEqual([]);
});

test.each([
  'function page(node: ClusterNode, timeoutMs = 20_000)',
  'request(url, { agent: false, timeout: 5000 })',
  'fetch(url, { signal: AbortSignal.timeout(3000) })',
  "target.sh('timeout 20 head -c 4096 /dev/urandom')",
])('this would be one of its own: %s', (line) => {
  expect(OWN_DEADLINE.test(line)).toBe(true);
});
