import { join } from 'node:path';
import { shellQuote } from '../../base/text.ts';
import type { CommonSettings, Job } from '../engine.ts';

/**
 * What a task of an array runs: its own line of a file. A script of its own for each would be 100,000 files.
 * @returns the file of rows, a command line each, and the script that becomes one of them.
 */
export function jobScript(
  { rows, folder }: Pick<Job, 'rows' | 'folder'>,
  { setup }: Pick<CommonSettings, 'setup'>,
): { readonly rows: string; readonly text: string } {
  return {
    rows: rows.map((argv) => `${argv.map(oneLine).join(' ')}\n`).join(''),
    text: [
      '#!/bin/sh',
      'export HARNESS_NODE="$SLURMD_NODENAME"',
      ...(setup === undefined ? [] : [setup]),
      "newline='\n'",
      `row=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" ${shellQuote(join(folder, 'rows'))})`,
      // It takes the place of this shell, so that Slurm's signals are its own.
      'eval "exec $row"',
      '',
    ].join('\n'),
  };
}

/** A word in quotes without line breaks: a row is a line, and the script has what stands for a break. */
function oneLine(word: string): string {
  return word.split('\n').map(shellQuote).join('"$newline"');
}
