import type { BenchmarkComparison } from '../../harness/bench/comparison.ts';
import { significant } from '../words.ts';

/** `arm64 1.2 to 2.9 times amd64. Both are emulated, so …`: the summary of a group's table. */
export function timingSentence(group: readonly BenchmarkComparison[], control: string): string {
  const results = group.flatMap(({ results }) => results).filter(({ toControl }) => toControl.state !== 'control');
  const sentences = [...Map.groupBy(results, ({ arch }) => arch)].flatMap(([arch, of]) => {
    const compared = of.flatMap(({ toControl }) => (toControl.state === 'compared' ? [toControl] : []));
    const reasons = new Set(
      of.flatMap(({ toControl }) => (toControl.state === 'not-comparable' ? [toControl.reason] : [])),
    );
    const words = new Set(compared.flatMap(({ words = [] }) => words));
    const range =
      compared.length > 0
        ? [
            `${arch} takes ${rangeOf(compared.map(({ ratio }) => ratio))} times as long as ${control}${[...words].map((word) => ` (${word})`).join('')}.`,
          ]
        : [];
    return [...range, ...[...reasons].map((reason) => `${arch} is not compared: ${reason}.`)];
  });
  return sentences.join(' ') || `Measured on ${group[0]?.results[0]?.arch ?? control} only.`;
}

function rangeOf(ratios: readonly number[]): string {
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => significant(ratio));
  return low === high ? low! : `${low} to ${high}`;
}
