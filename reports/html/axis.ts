import { html, type Markup } from './markup.ts';

/** From 0 to a round end, with round steps between: 3 to 6 ticks. */
export interface Axis {
  readonly end: number;
  readonly ticks: readonly number[];
}

/** The axis that holds every value up to `max`, which is at least 0. */
export function axisTo(max: number): Axis {
  if (!(max > 0) || !Number.isFinite(max)) return { end: 1, ticks: [0] };
  const rough = max / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough)!;
  const count = Math.ceil(max / step - 1e-9);
  return { end: count * step, ticks: Array.from({ length: count + 1 }, (_, index) => index * step) };
}

/** Position of a value on an axis, as a share of the width, with a little room at both ends for half a dot. */
export function at(value: number, { end }: Axis): string {
  return `${(1 + (98 * value) / end).toFixed(2)}%`;
}

/** The numbers of an axis, below its drawing. The first and the last do not reach beyond it. */
export function ticks(axis: Axis, say: (value: number) => string): Markup {
  const last = axis.ticks.length - 1;
  const anchor = (index: number) => (index === 0 ? 'start' : index === last ? 'end' : 'middle');
  // In a narrow drawing, only the ends and the middle have their number.
  const odd = (index: number) => index > 0 && index < last && index !== last / 2;
  return html`<svg class="ticks" width="100%" height="18" aria-hidden="true">${axis.ticks.map(
    (tick, index) =>
      html`<line x1="${at(tick, axis)}" x2="${at(tick, axis)}" y1="0" y2="4"/><text x="${at(tick, axis)}" y="15" text-anchor="${anchor(index)}"${odd(index) && html` class="odd"`}>${brief(say(tick))}</text>`,
  )}</svg>`;
}

/** `1.50 ms` is `1.5 ms` on an axis, `25.000 M instructions` is `25 M`, and `2 min 0 s` is `2 min`. */
function brief(text: string): string {
  return text
    .replace(/ instructions$/, '')
    .replace(/(\d) min 0 s$/, '$1 min')
    .replace(/\.(\d*?)0+(?!\d)/, (_all, digits: string) => (digits === '' ? '' : `.${digits}`));
}
