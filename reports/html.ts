import type { RunResult } from '../harness/events/result.ts';
import { durationsSection } from './html/durations.ts';
import { factsSection } from './html/facts.ts';
import { failuresOf, failuresSection, testsSection } from './html/failures.ts';
import { healthSection } from './html/health.ts';
import { anchor, html } from './html/markup.ts';
import { cellsSection, header } from './html/overview.ts';
import { packagesSection } from './html/packages.ts';
import { renderPage } from './html/page.ts';
import { style } from './html/style.ts';
import { timingSection } from './html/timing.ts';
import { stateWords } from './words.ts';

/** The run as one page; its data are in `results.json` beside it. */
export function renderHtml(run: RunResult): string {
  const failures = failuresOf(run);
  return renderPage({
    title: `${stateWords[run.state]}: ${run.matrix.name}`,
    styles: [style],
    body: html`<main>
${header(run, failures.length)}
${cellsSection(run)}
${failuresSection(run, failures)}
${timingSection(run)}
${durationsSection(run)}
${testsSection(run, anchor)}
${healthSection(run)}
${packagesSection(run)}
${factsSection(run)}
</main>`,
  });
}
