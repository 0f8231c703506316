import { formatBytes } from '../../harness/base/text.ts';
import type { CellResult, RunResult } from '../../harness/events/result.ts';
import type { TargetFacts } from '../../harness/events/types.ts';
import { acceleratorWords, controlCostLine, formatTime, significant } from '../words.ts';
import { evidenceLinks, fileLink } from './evidence.ts';
import { cellId } from './ids.ts';
import { html, type Markup } from './markup.ts';
import { commitLink, originOf } from './origin.ts';
import { permalink } from './permalink.ts';
import { verdictMark } from './verdict.ts';

/** Files beside the page of every run. */
const FILES = ['results.json', 'junit.xml', 'summary.md', 'events.jsonl'];

/**
 * The machines behind the figures: no figure means anything without them.
 * @param junit the file of JUnit beside the page.
 */
export function factsSection(run: RunResult, junit = 'junit.xml'): Markup {
  const { host } = run;
  return html`<section id="facts" aria-labelledby="facts-title"><h2 id="facts-title">Facts</h2>
${list([
  ['Host', `${host.cpu}, ${host.arch}, ${host.cores} cores, ${formatBytes(host.memoryBytes)}`],
  ['Host kernel', host.kernel],
  ['Node', host.node],
  ['Harness', run.harness],
  ['Matrix', run.matrix.file ?? run.matrix.name],
  ['Control', run.control],
  ['Control leg', controlCostLine(run)],
  ['At once', `${run.jobs} ${run.jobs === 1 ? 'cell' : 'cells'}: ${run.jobsReason}`],
  ['Commit', commitLink(run, 40)],
  ['Started by', originOf(run)],
  [
    'Files',
    html`<ul class="files">${FILES.map((name) => (name === 'junit.xml' ? junit : name)).map((file) => html`<li>${fileLink(file, file)}</li>`)}</ul>`,
  ],
  ...(run.warnings ?? []).map((warning): Row => ['Warning', warning]),
])}
${run.cells.map(cellFacts)}</section>`;
}

function cellFacts(cell: CellResult): Markup {
  const { facts, scale } = cell;
  const about: Row[] = [
    ['Verdict', html`${verdictMark(cell.verdict)}${cell.reason && html` ${cell.reason}`}`],
    ['Time', cell.durationMs > 0 ? formatTime(cell.durationMs) : undefined],
    ['Scale of deadlines', scale && `${significant(scale.factor)}× (${scale.source})`],
    ['Files', evidenceLinks(cell)],
    ['Enter it', cell.enter],
    ...cell.logs.map(({ level, message }): Row => [level === 'warn' ? 'Warning' : 'Log', message]),
  ];
  // The id is inside: browsers unfold what is around the target of a link.
  return html`<details><summary><b>${cell.name}</b> <span class="muted">${facts ? `${acceleratorWords[facts.accelerator]}, ${facts.cpu}` : ''}</span></summary><div id="${cellId(cell.name)}">${permalink(cellId(cell.name), cell.name)} ${
    cell.nodes
      ? html`${Object.entries(cell.nodes).map(clusterNode)}${list(about)}`
      : list([...(facts ? machine(facts) : []), ...about])
  }</div></details>
`;
}

function clusterNode([name, facts]: [string, TargetFacts]): Markup {
  return html`<h3>${name} <span class="muted">${facts.arch}</span></h3>${list(machine(facts))}`;
}

function machine(facts: TargetFacts): Row[] {
  return [
    ['Accelerator', acceleratorWords[facts.accelerator]],
    ['CPU model', facts.cpu],
    ['Machine', facts.machine],
    ['Size', `${facts.vcpus} vCPUs, ${formatBytes(facts.memoryBytes)}`],
    ['Kernel', facts.kernel],
    ['Emulator', facts.emulator],
    ['System', facts.release && `Debian ${facts.release}`],
    ['Image', facts.image],
    ['Start', facts.resumed ? `resumed from a snapshot of ${facts.resumed}` : 'cold: booted and deployed'],
  ];
}

type Row = readonly [string, string | Markup | undefined];

function list(rows: readonly Row[]): Markup {
  return html`<dl class="facts">${rows.map(([name, value]) => value !== undefined && html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}
