import type { RunResult } from '../harness/events/result.ts';
import { brief } from './html/brief.ts';
import { durationsSection } from './html/durations.ts';
import { factsSection } from './html/facts.ts';
import { failuresSection, flakySection, replacedSection } from './html/failures.ts';
import { failuresOf, flakyOf, groupsOf, replacedOf } from './html/failures-model.ts';
import { healthSection } from './html/health.ts';
import { indexOf } from './html/index-page.ts';
import { html } from './html/markup.ts';
import { cellsSection, header, navigation } from './html/overview.ts';
import { packagesSection } from './html/packages.ts';
import { fileOf, renderPage } from './html/page.ts';
import { style } from './html/style.ts';
import { testsSection } from './html/table.ts';
import { stacksOf } from './html/table-model.ts';
import { timingSection } from './html/timing.ts';
import { isLarge, partPath, partsOf } from './large.ts';
import type { ReportFile } from './report.ts';
import type { SinceWhen } from './since.ts';
import { stateWords } from './words.ts';

const ownStyle = fileOf('page.css', new URL('html/', import.meta.url).href);
const script = fileOf('page.browser.js', new URL('html/', import.meta.url).href);

/**
 * The pages of a run: one, or for one in parts a page for each and an index of them, with suites down and architectures across.
 * @param page the file of the one, or of the index.
 */
export function* htmlPages(run: RunResult, page: string, since?: SinceWhen): Iterable<ReportFile> {
  if (!isLarge(run)) {
    yield { path: page, content: renderHtml(run, since) };
    return;
  }
  const parts = partsOf(run);
  yield { path: page, content: renderPage({ ...indexOf(run, parts, page), styles: [style, ownStyle] }) };
  for (const { run: part, number } of parts) {
    const where = { number, of: parts.length, index: page };
    yield { path: partPath(page, number), content: renderHtml(part, since, where) };
  }
}

/** Which part of a run a page has. */
interface PagePart {
  readonly number: number;
  readonly of: number;
  /** The page that leads to all of them. */
  readonly index: string;
}

/**
 * The run as one page; its data are in `results.json` beside it.
 * @param since the answers of earlier runs about a failure.
 */
export function renderHtml(run: RunResult, since: SinceWhen = () => undefined, part?: PagePart): string {
  const stacks = stacksOf(run);
  const failures = groupsOf(failuresOf(run));
  const flaky = groupsOf(flakyOf(run));
  const known = { run, since };
  const timing = timingSection(run);
  const packages = packagesSection(run);
  return renderPage({
    title: `${stateWords[run.state]}: ${run.matrix.name}`,
    styles: [style, ownStyle],
    script,
    body: html`<div class="page">${
      part && html`\n<p><a href="${part.index}">All pages</a>, this is ${part.number} of ${part.of}</p>`
    }
${header(run, brief(run, failures, stacks))}
${navigation([
  ['cells', 'Cells'],
  ...(failures.length > 0 ? [['failures', 'Failures', failures.length] as const] : []),
  ['tests', 'Tests'],
  ...(flaky.length > 0 ? [['flaky', 'Flaky', flaky.length] as const] : []),
  ...(timing ? [['timing', 'Timing'] as const] : []),
  ['durations', 'Durations'],
  ...(run.cells.length > 0 ? [['health', 'Jobs'] as const] : []),
  ...(packages ? [['packages', 'Packages'] as const] : []),
  ['facts', 'Facts'],
])}
<main>
${cellsSection(run, stacks)}
${failuresSection(failures, known)}
${testsSection(run, stacks)}
${flakySection(flaky, known)}${replacedSection(groupsOf(replacedOf(run)), known)}
${timing}
${durationsSection(run)}
${healthSection(run)}
${packages}
${factsSection(run, part && partPath('junit.xml', part.number))}
</main>
</div>`,
  });
}
