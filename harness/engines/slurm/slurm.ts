import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../base/errors.ts';
import { programsMissing } from '../../base/programs.ts';
import type { CommonSettings, Engine, EngineState, Job } from '../engine.ts';
import { engineCommand } from '../engine-command.ts';
import { jobScript } from './script.ts';
import { rowsIn } from './squeue.ts';

/** Milliseconds that one of Slurm's commands may take: without its controller they wait for it, some of them for minutes. */
const COMMAND_MS = 60_000;
const command = engineCommand(COMMAND_MS, 'Ask Slurm itself: sinfo; squeue');

/** What Slurm is started by, and asked by. */
const PROGRAMS = ['sbatch', 'squeue', 'scancel', 'scontrol'];

/** Rows of an array where Slurm does not say; its own default is 1001 with 0 among them. */
const USUAL_ROWS = 1000;

/** An engine that is Slurm: a job is an array, whose tasks are the rows. */
export function openSlurm(settings: CommonSettings): Engine {
  let most: Promise<number> | undefined;
  return {
    moves: false,
    probe,
    maxRows() {
      most ??= maxArraySize();
      return most;
    },
    async submit(job) {
      const script = join(job.folder, 'job.sh');
      const { rows, text } = jobScript(job, settings);
      await writeFile(join(job.folder, 'rows'), rows);
      await writeFile(script, text);
      await chmod(script, 0o700);
      await command(['sbatch', ...sbatchOptions(job), ...settings.options, script], `submit ${job.token} to Slurm`);
    },
    async alive(tokens) {
      if (tokens.length === 0) return new Map();
      // -r: a line a task; what has ended is not listed.
      const argv = ['squeue', '--noheader', '--array', '--format=%j|%K|%T|%r', `--name=${tokens.join(',')}`];
      return rowsIn(await command(argv, 'ask Slurm what is alive'));
    },
    async cancel(token, rows) {
      if (rows === undefined) {
        await command(cancelCommand(token), `cancel ${token}`);
        return;
      }
      const listed = await command(
        ['squeue', '--noheader', '--array', '--format=%A|%K', `--name=${token}`],
        `find the tasks of ${token}`,
      );
      const wanted = new Set(rows.map(String));
      const ids = listed.split('\n').flatMap((line) => {
        const [id, index] = line.trim().split('|');
        return id && index !== undefined && wanted.has(index) ? [id] : [];
      });
      if (ids.length > 0) await command(['scancel', ...ids], `cancel tasks of ${token}`);
    },
    cancelCommand,
  };
}

/** Of several names in one call scancel takes none, and says nothing. */
function cancelCommand(token: string): readonly string[] {
  return ['scancel', `--name=${token}`];
}

function sbatchOptions({ token, ask, rows, folder }: Job): string[] {
  return [
    '--parsable',
    // A requeued job waits for two minutes and may be held forever; the dispatcher submits it again instead.
    '--no-requeue',
    `--job-name=${token}`,
    `--array=0-${rows.length - 1}`,
    `--cpus-per-task=${ask.cpus}`,
    `--mem=${ask.memoryMiB}M`,
    `--time=${Math.ceil(ask.minutes)}`,
    ...(ask.exclusive ? ['--exclusive'] : []),
    ...(ask.constraint === '' ? [] : [`--constraint=${ask.constraint}`]),
    `--output=${join(folder, '%a.log')}`,
    `--chdir=${folder}`,
  ];
}

async function maxArraySize(): Promise<number> {
  const said = await command(['scontrol', 'show', 'config'], "read Slurm's configuration");
  const size = Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(said)?.[1]);
  // The size is one more than the largest index.
  return Number.isInteger(size) && size > 1 ? size - 1 : USUAL_ROWS;
}

async function probe(): Promise<EngineState> {
  const missing = await programsMissing(PROGRAMS);
  if (missing.length > 0) {
    const install = 'run the harness on a login node of the cluster, or: apt-get install slurm-client munge';
    return { state: 'missing', what: `${missing.join(', ')} of Slurm`, install };
  }
  try {
    const nodes = (
      await command(['sinfo', '--noheader', '--Node', '--format=%N %T'], 'ask Slurm for its nodes')
    ).trim();
    const lines = [...new Set(nodes.split('\n').filter(Boolean))];
    return { state: 'usable', detail: `Slurm with ${lines.length} ${lines.length === 1 ? 'node' : 'nodes'}` };
  } catch (error) {
    return { state: 'broken', why: messageOf(error) };
  }
}
