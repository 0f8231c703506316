import { createHash } from 'node:crypto';
import type { RunResult } from '../harness/events/result.ts';
import { durationsSection } from './html/durations.ts';
import { factsSection } from './html/facts.ts';
import { failuresOf, failuresSection, testsSection } from './html/failures.ts';
import { anchor, html, json, raw } from './html/markup.ts';
import { cellsSection, header } from './html/overview.ts';
import { packagesSection } from './html/packages.ts';
import { style } from './html/style.ts';
import { timingSection } from './html/timing.ts';
import { verdictSymbols } from './html/verdict.ts';
import { toResults } from './results-json.ts';
import { stateWords } from './words.ts';

/**
 * The run as one page that needs no network and no script. Its policy forbids both, so that even a mistake in
 * escaping could not run what a guest printed. The data of `results.json` is in the element `data`.
 */
export function renderHtml(run: RunResult): string {
  const failures = failuresOf(run);
  const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${raw(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${stateWords[run.state]}: ${run.matrix.name}</title>
<style>${raw(style)}</style>
</head>
<body>
${verdictSymbols()}
<main>
${header(run, failures.length)}
${cellsSection(run)}
${failuresSection(run, failures)}
${timingSection(run)}
${durationsSection(run)}
${testsSection(run, anchor)}
${packagesSection(run)}
${factsSection(run)}
</main>
<script type="application/json" id="data">${json(toResults(run))}</script>
</body>
</html>
`;
  return page.text;
}
