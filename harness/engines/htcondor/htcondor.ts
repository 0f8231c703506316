import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../base/errors.ts';
import { programsMissing } from '../../base/programs.ts';
import type { Engine, EngineState } from '../engine.ts';
import { engineCommand } from '../engine-command.ts';
import { COLUMNS, rowsIn } from './queue.ts';
import { type CondorSettings, jobScript, scriptOf, submitText, TOKEN } from './submit.ts';

/** Milliseconds that one of HTCondor's commands may take: 10,000 jobs are submitted in 9 s. */
const COMMAND_MS = 120_000;
const command = engineCommand(COMMAND_MS, 'Ask HTCondor itself: condor_status; condor_q');

const PROGRAMS = ['condor_submit', 'condor_q', 'condor_rm', 'condor_status'];

/** Rows of a job where HTCondor does not say. */
const USUAL_ROWS = 10_000;

/** An engine that is HTCondor: a job is a cluster, whose procedures are the rows. It moves all files. */
export function openHtcondor(settings: CondorSettings): Engine {
  return {
    moves: true,
    probe,
    async maxRows() {
      const said = await command(
        ['condor_config_val', 'MAX_JOBS_PER_SUBMISSION'],
        'ask HTCondor how much it takes',
      ).catch(() => '');
      const most = Number(said);
      return most > 0 ? Math.min(most, USUAL_ROWS) : USUAL_ROWS;
    },
    async submit(job) {
      const { moved } = job;
      if (moved === undefined) throw new Error('HTCondor was given a job without files to move');
      const description = join(job.folder, 'submit');
      await writeFile(scriptOf(job.folder), jobScript(settings));
      await writeFile(description, submitText({ ...job, moved }, settings));
      await command(['condor_submit', '-terse', ...settings.options, description], `submit ${job.token} to HTCondor`);
    },
    async alive(tokens) {
      if (tokens.length === 0) return new Map();
      const ours = `stringListMember(${TOKEN}, "${tokens.join(',')}")`;
      return rowsIn(
        await command(['condor_q', '-constraint', ours, '-af:t', ...COLUMNS], 'ask HTCondor what is alive'),
      );
    },
    async cancel(token, rows) {
      await command(removal(token, rows), `cancel ${token}`);
    },
    cancelCommand: (token) => removal(token),
  };
}

/** `condor_rm` fails where nothing of a queue fits; only what is still there is a failure. */
const REMOVE = `condor_rm -constraint "$1" || {
  left=$(condor_q -constraint "$1" -af ProcId) && [ -z "$left" ]
}`;

function removal(token: string, rows?: readonly number[]): string[] {
  const some = rows === undefined ? '' : ` && member(ProcId, {${rows.join(',')}})`;
  return ['sh', '-c', REMOVE, 'sh', `${TOKEN} == "${token}"${some}`];
}

async function probe(): Promise<EngineState> {
  const missing = await programsMissing(PROGRAMS);
  if (missing.length > 0) {
    const install = 'run the harness on an access point of the pool; on Debian 13: apt-get install htcondor';
    return { state: 'missing', what: `${missing.join(', ')} of HTCondor`, install };
  }
  if (process.getuid?.() === 0)
    return { state: 'broken', why: 'HTCondor takes no jobs of root: run the harness as another user' };
  try {
    const slots = await command(['condor_status', '-af', 'Name'], 'ask HTCondor for its nodes');
    const nodes = new Set(slots.split('\n').flatMap((slot) => slot.trim().replace(/^slot[^@]*@/, '') || []));
    await command(['condor_q', '-totals'], 'ask HTCondor for its queue');
    return { state: 'usable', detail: `HTCondor with ${nodes.size} ${nodes.size === 1 ? 'node' : 'nodes'}` };
  } catch (error) {
    return { state: 'broken', why: messageOf(error) };
  }
}
