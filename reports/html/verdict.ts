import type { RunResult } from '../../harness/events/result.ts';
import type { Verdict } from '../../harness/events/types.ts';
import { html, type Markup, raw } from './markup.ts';

/** Each verdict's sign, distinct in outline and colour. */
const shapes: Readonly<Record<Verdict, string>> = {
  passed: '<circle cx="8" cy="8" r="7.5" class="fill"/><path d="M4.6 8.3l2.3 2.3 4.6-5" class="cut"/>',
  failed:
    '<rect x=".8" y=".8" width="14.4" height="14.4" rx="2.6" class="fill"/><path d="M5 5l6 6M11 5l-6 6" class="cut"/>',
  flaky:
    '<path d="M8 .2L15.8 8 8 15.8.2 8z" class="fill"/><path d="M4.3 8.9c1.2-2.2 2.5-2.2 3.7-.9s2.5 1.3 3.7-.9" class="cut"/>',
  skipped: '<circle cx="8" cy="8" r="6.7" class="line"/><path d="M5 8h6" class="line"/>',
  unsupported: '<circle cx="8" cy="8" r="6.7" class="line"/><path d="M3.4 12.6l9.2-9.2" class="line"/>',
  infra: '<path d="M8 .7l7.7 14.1H.3z" class="fill"/><path d="M8 5.6v4.4M8 12.2v.6" class="cut"/>',
  emulator: '<path d="M8 15.3L.3 1.2h15.4z" class="fill"/><path d="M8 3.7v4.4M8 10.3v.6" class="cut"/>',
  incomplete: '<circle cx="8" cy="8" r="6.7" class="line dashed"/><path d="M8 4.5V8l2.3 1.6" class="line"/>',
};

/** The signs' definitions; once per page. */
export function verdictSymbols(): Markup {
  const symbols = Object.entries(shapes).map(
    ([name, shape]) => `<symbol id="v-${name}" viewBox="0 0 16 16">${shape}</symbol>`,
  );
  return raw(`<svg width="0" height="0" class="defs" aria-hidden="true">${symbols.join('')}</svg>`);
}

/** The sign alone; the word must stand beside it. */
export function sign(verdict: Verdict): Markup {
  return html`<svg class="sign v-${verdict}" aria-hidden="true"><use href="#v-${verdict}"/></svg>`;
}

/** Sign and word. */
export function verdictMark(verdict: Verdict, word: string = verdict): Markup {
  return html`<span class="verdict v-${verdict}">${sign(verdict)} ${word}</span>`;
}

/** The verdict whose sign stands for a run's state. */
export function signOfState(state: RunResult['state']): Verdict {
  return state === 'interrupted' ? 'incomplete' : state;
}
