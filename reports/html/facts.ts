import type { CellResult, RunResult } from '../../harness/events/result.ts';
import type { TargetFacts } from '../../harness/events/types.ts';
import { acceleratorWords, significant } from '../words.ts';
import { html, type Markup } from './markup.ts';

/** What the figures were made on: no figure means anything without it. */
export function factsSection(run: RunResult): Markup {
  const { host } = run;
  return html`<section id="facts"><h2>Facts</h2>
${list([
  ['Host', `${host.cpu}, ${host.arch}, ${host.cores} cores, ${gib(host.memoryBytes)}`],
  ['Host kernel', host.kernel],
  ['Node', host.node],
  ['Harness', run.harness],
  ['Matrix', run.matrix.file ?? run.matrix.name],
  ['Control', run.control],
  ['At once', `${run.jobs} ${run.jobs === 1 ? 'cell' : 'cells'}: ${run.jobsReason}`],
  ['Commit', run.git && `${run.git.sha}${run.git.dirty ? ', with local changes' : ''}`],
  ...(run.warnings ?? []).map((warning): Row => ['Warning', warning]),
])}
${run.cells.map(cellFacts)}</section>`;
}

function cellFacts(cell: CellResult): Markup | undefined {
  const { facts, scale } = cell;
  if (!facts && cell.logs.length === 0 && cell.artifacts.length === 0) return undefined;
  const about: Row[] = [
    ['Scale of deadlines', scale && `${significant(scale.factor)}× (${scale.source})`],
    ['Kept files', cell.artifacts.length > 0 ? cell.artifacts.join(', ') : undefined],
    ...cell.logs.map(({ level, message }): Row => [level === 'warn' ? 'Warning' : 'Log', message]),
  ];
  return html`<details><summary><b>${cell.name}</b> <span class="muted">${facts ? `${acceleratorWords[facts.accelerator]}, ${facts.cpu}` : ''}</span></summary>${
    cell.nodes
      ? html`${Object.entries(cell.nodes).map(clusterNode)}${list(about)}`
      : list([...(facts ? machine(facts) : []), ...about])
  }</details>
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
    ['Size', `${facts.vcpus} vCPUs, ${gib(facts.memoryBytes)}`],
    ['Kernel', facts.kernel],
    ['Emulator', facts.emulator],
    ['System', facts.release && `Debian ${facts.release}`],
    ['Image', facts.image],
    ['Start', facts.resumed ? `resumed from a snapshot of ${facts.resumed}` : 'cold: booted and deployed'],
  ];
}

type Row = readonly [string, string | undefined];

function list(rows: readonly Row[]): Markup {
  return html`<dl class="facts">${rows.map(([name, value]) => value !== undefined && html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

function gib(bytes: number): string {
  return `${significant(bytes / 2 ** 30)} GiB`;
}
