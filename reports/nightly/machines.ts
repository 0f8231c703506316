import type { Trends } from '../../harness/nights/trends.ts';
import { html, type Markup } from '../html/markup.ts';
import { significant } from '../words.ts';

/** The common factor of each cell's timed benchmarks, night by night: how fast its machine was. */
export function machinesSection({ machines }: Trends, nights: number): Markup | undefined {
  const moving = machines.flatMap(({ cell, factors }) => {
    const known = factors.filter((factor) => factor !== undefined);
    return known.length > 0 ? [{ cell, factors, known }] : [];
  });
  if (moving.length === 0) return undefined;
  const most = Math.max(...moving.flatMap(({ known }) => known));
  return html`<section id="machines"><h2>Machines</h2><p class="muted">What all timed benchmarks of a cell have in common in a night, against its usual night: a busy host, another clock rate, or something that slows everything. It is taken out of their trends above, and of no count of instructions. One axis for all, from 0.</p>
<div class="board">${moving.map(
    ({
      cell,
      factors,
      known,
    }) => html`<div class="entry"><div class="of"><b>${cell}</b></div><div class="plot"><svg class="trend" viewBox="0 0 ${Math.max(1, nights * 10 - 2)} 1000" preserveAspectRatio="none" role="img" aria-label="from ${significant(Math.min(...known))} to ${significant(Math.max(...known))} times the usual time"><path class="busy" d="${factors.map((factor, night) => (factor === undefined ? '' : `M${night * 10} 1000v${-Math.round((1000 * factor) / most)}h8V1000z`)).join('')}"/></svg><div class="ends"><span>${significant(most)}×</span><span>0</span></div></div><div class="now"><b>${significant(known.at(-1)!)}×</b></div></div>
`,
  )}</div></section>`;
}
