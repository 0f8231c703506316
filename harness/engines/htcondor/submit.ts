import { join } from 'node:path';
import { shellQuote } from '../../base/text.ts';
import type { CommonSettings, Job, MovedFiles } from '../engine.ts';

/** Seconds that a row has between the signal that ends it and its end. */
const VACATE_SECONDS = 60;

/** The attribute of a job by which everything is found: the name of a batch is for people, and need not be unique. */
export const TOKEN = 'HarnessToken';

/** Whether a row was started before: then it is over, whatever HTCondor would make of it. */
export const STARTED = '(NumShadowStarts ?: 0) > 0';

const SCRIPT = 'job.sh';

/** What a pool is told. */
export interface CondorSettings extends CommonSettings {
  /** Seconds for which a node that does not answer may come back; its rows are over then. */
  readonly leaseSeconds: number;
}

/** A job whose files are moved. */
type MovingJob = Job & { readonly moved: MovedFiles };

/**
 * What a row runs: a command line that it is given as one word, which needs no quotes in a submit description.
 *
 * What is printed is streamed to the run's machine, so that only the row itself may print. Daemons of HTCondor have a sparse
 * environment, and the user of a slot may have no home.
 */
export function jobScript({ setup }: Pick<CommonSettings, 'setup'>): string {
  return `#!/bin/sh
PATH=\${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}
HOME=\${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
[ -w "$HOME" ] || HOME=$PWD
# slot1_2@node
HARNESS_NODE=$(sed -n 's/^Name = "\\(.*\\)"$/\\1/p' "$_CONDOR_MACHINE_AD")
HARNESS_NODE=\${HARNESS_NODE#slot*@}
export PATH HOME HARNESS_NODE
${setup === undefined ? '' : `exec 3>&1 >&2\n${setup}\nexec >&3 3>&-\n`}${RUN}`;
}

/** It takes the place of this shell, so that HTCondor's signals are its own. */
const RUN = `eval "exec $(echo "$1" | base64 -d)"
`;

/** A command line as one word. */
export function rowWord(argv: readonly string[]): string {
  return Buffer.from(argv.map(shellQuote).join(' ')).toString('base64');
}

/**
 * The submit description of a job: one procedure a row, which is started once, whatever becomes of it, and whose files come
 * back when it ends by itself.
 */
export function submitText(
  { token, ask, rows, folder, moved }: MovingJob,
  { leaseSeconds }: Pick<CondorSettings, 'leaseSeconds'>,
): string {
  const { inputs, outputs, printed } = moved;
  const seconds = Math.ceil(ask.minutes * 60);
  const wholeNode = 'TARGET.TotalSlotCpus';
  const requirements = [
    // Named here, or HTCondor adds that it has to be the architecture of the machine that submits.
    'TARGET.Arch =!= undefined',
    'TARGET.OpSys == "LINUX"',
    ...(ask.constraint === '' ? [] : [`(${ask.constraint})`]),
    ...(ask.exclusive ? ['TARGET.Cpus == TARGET.TotalSlotCpus'] : []),
    // Whoever submitted it submits it again, in a folder of its own.
    `!(${STARTED})`,
  ];
  return [
    'universe = vanilla',
    'executable = /bin/sh',
    'transfer_executable = false',
    `arguments = "${SCRIPT} $(row)"`,
    `My.${TOKEN} = "${token}"`,
    `batch_name = ${token}`,
    'should_transfer_files = YES',
    'when_to_transfer_output = ON_EXIT',
    `transfer_input_files = ${[join(folder, SCRIPT), ...inputs].join(', ')}`,
    'transfer_output_files = $(back)/',
    'initialdir = $(to)',
    `output = ${printed}`,
    'stream_output = true',
    `error = ${join(folder, '$(Process).err')}`,
    `log = ${join(folder, 'log')}`,
    `request_cpus = ${ask.exclusive ? `ifThenElse(${wholeNode} =!= undefined, ${wholeNode}, ${ask.cpus})` : ask.cpus}`,
    `request_memory = ${ask.memoryMiB}M`,
    `requirements = ${requirements.join(' && ')}`,
    `job_lease_duration = ${leaseSeconds}`,
    'kill_sig = SIGTERM',
    `job_max_vacate_time = ${VACATE_SECONDS}`,
    'max_retries = 0',
    `periodic_remove = (JobStatus == 1 && ${STARTED}) || (JobStatus == 2 && time() - JobCurrentStartDate > ${seconds})`,
    'queue row, back, to from (',
    ...rows.map((argv, index) => `${rowWord(argv)} ${outputs[index]!.from} ${outputs[index]!.to}`),
    ')',
    '',
  ].join('\n');
}

/** The file of {@link jobScript} in a job's folder. */
export function scriptOf(folder: string): string {
  return join(folder, SCRIPT);
}
