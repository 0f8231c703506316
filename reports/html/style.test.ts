import { expect, test } from 'vitest';
import { style } from './style.ts';

/** The colours of both schemes, by name. */
const [light, dark] = [...style.matchAll(/:root \{([^}]*)\}/g)].map(([, block]) =>
  Object.fromEntries(
    [...block!.matchAll(/--([a-z]+): (#[0-9a-f]{3,6});/g)].map(([, name, colour]) => [name!, colour!]),
  ),
) as [Record<string, string>, Record<string, string>];

/** What WCAG 2 calls relative luminance. */
function luminance(colour: string): number {
  const digits = colour.length === 4 ? [...colour.slice(1)].map((digit) => digit + digit) : colour.match(/\w\w/g)!;
  const [red, green, blue] = digits.map((pair) => {
    const share = Number.parseInt(pair, 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

function contrast(one: string, other: string): number {
  const [bright, dull] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (bright! + 0.05) / (dull! + 0.05);
}

const TEXT = ['ink', 'muted', 'passed', 'failed', 'flaky', 'skipped', 'infra', 'incomplete'];
const DRAWN = ['dot', 'ratio', 'image', 'acquire', 'deploy', 'scenarios', 'benchmarks', 'collect', 'release'];
const GROUNDS = ['paper', 'card', 'soft'];

test.each([
  ['light', light],
  ['dark', dark],
])('contrast in the %s scheme: 4.5 of text, 3 of what is drawn', (_scheme, colours) => {
  const short = [...TEXT.map((name) => [name, 4.5] as const), ...DRAWN.map((name) => [name, 3] as const)].flatMap(
    ([name, least]) =>
      GROUNDS.map((ground) => ({ name, ground, least, is: contrast(colours[name]!, colours[ground]!) })).filter(
        ({ is }) => !(is >= least),
      ),
  );
  expect(short).toEqual([]);
});
