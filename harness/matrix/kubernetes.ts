import { stringify } from 'yaml';
import { shellQuote } from '../base/text.ts';

/** Cells that ask for the same resources. */
export interface KubernetesClass {
  /** As Debian calls it; a cluster's nodes say it in Go's words. */
  readonly arch: string;
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly minutes: number;
  /** For each cell the words behind `harness run`. */
  readonly rows: readonly (readonly string[])[];
}

export interface KubernetesOptions {
  /** Begins the names of the jobs. */
  readonly name: string;
  /** A container's image that has the project, with the harness and what its targets need. */
  readonly image: string;
  /** How the harness is called there. */
  readonly command: string;
  /** Shell commands before it. */
  readonly before: readonly string[];
  /** A volume claim for results. */
  readonly claim: string;
  /** Kueue's queue; absent: none. */
  readonly queue?: string | undefined;
  /** The resource by which a device plug-in gives out /dev/kvm; absent: cells are emulated. */
  readonly kvm?: string | undefined;
}

/** Cells of one job: their rows are in an object of at most 1 MiB. */
const MOST_ROWS = 5_000;
/** Pods of a job at once; more than 10,000 are refused. */
const MOST_PARALLEL = 1_000;
/** Seconds after which a job that has ended is removed. */
const KEPT_SECONDS = 7 * 24 * 3600;

/** Where pods find their rows, and leave their results. */
const [ROWS, RESULTS] = ['/harness/rows', '/harness/results'] as const;

/** How Go, and so `kubernetes.io/arch`, calls an architecture where that differs. */
const GO_ARCHS: Readonly<Record<string, string>> = { ppc64el: 'ppc64le' };

/**
 * Indexed Jobs, one for each class of resources, and what they read: a pod a cell. Results are left on a volume, as
 * `parts/JOB/INDEX/events.jsonl`, for `harness merge`. What a cell came to is its harness's exit code: 0, 1 and 2 are final, anything
 * else is tried again, and a pod that was evicted costs no try.
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/
 */
export function kubernetesJobs(classes: readonly KubernetesClass[], options: KubernetesOptions): string {
  const chunks = classes.flatMap((one) =>
    Array.from({ length: Math.ceil(one.rows.length / MOST_ROWS) }, (_, index) => ({
      ...one,
      rows: one.rows.slice(index * MOST_ROWS, (index + 1) * MOST_ROWS),
    })),
  );
  const documents = chunks.flatMap((chunk, index) => documentsOf(chunk, `${dnsName(options.name)}-${index}`, options));
  const texts = documents.map((document) => stringify(document, { lineWidth: 0 }));
  return `# Made by: harness matrix --kubernetes\n${texts.join('---\n')}`;
}

function documentsOf(
  { arch, cpus, memoryMiB, minutes, rows }: KubernetesClass,
  name: string,
  { image, command, before, claim, queue, kvm }: KubernetesOptions,
): readonly object[] {
  const script = [
    'set -eu',
    `row=$(sed -n "$((JOB_COMPLETION_INDEX + 1))p" ${ROWS}/rows)`,
    `into=${RESULTS}/parts/${name}/$JOB_COMPLETION_INDEX`,
    // An earlier try is kept, where `harness merge` does not find it: a cell is in one part.
    `mkdir -p ${RESULTS}/parts/${name} ${RESULTS}/earlier`,
    `[ ! -e "$into" ] || mv "$into" "${RESULTS}/earlier/${name}-$JOB_COMPLETION_INDEX-$(date +%s)"`,
    ...before,
    `eval "exec ${command.replaceAll(/["\\$`]/g, '\\$&')} run --part --into $into $row"`,
  ];
  const resources = { cpu: String(cpus), memory: `${memoryMiB}Mi`, ...(kvm === undefined ? {} : { [kvm]: '1' }) };
  const container = {
    ...{ name: 'harness', image, command: ['sh', '-c', script.join('\n')] },
    resources: { requests: resources, limits: resources },
    volumeMounts: [
      { name: 'rows', mountPath: ROWS, readOnly: true },
      { name: 'results', mountPath: RESULTS },
    ],
  };
  const labels = {
    'app.kubernetes.io/name': 'multiarch-harness',
    ...(queue ? { 'kueue.x-k8s.io/queue-name': queue } : {}),
  };
  const job = {
    ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name, labels } },
    spec: {
      completionMode: 'Indexed',
      completions: rows.length,
      parallelism: Math.min(rows.length, MOST_PARALLEL),
      // A cell that cannot be brought to an end says nothing of the others.
      ...{ backoffLimitPerIndex: 2, maxFailedIndexes: rows.length, ttlSecondsAfterFinished: KEPT_SECONDS },
      ...(queue ? { suspend: true } : {}),
      podFailurePolicy: {
        rules: [
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          { action: 'FailIndex', onExitCodes: { containerName: 'harness', operator: 'In', values: [1, 2] } },
        ],
      },
      template: {
        metadata: { labels: { 'app.kubernetes.io/name': 'multiarch-harness' } },
        spec: {
          restartPolicy: 'Never',
          nodeSelector: { 'kubernetes.io/arch': GO_ARCHS[arch] ?? arch },
          activeDeadlineSeconds: Math.ceil(minutes * 60),
          containers: [container],
          volumes: [
            { name: 'rows', configMap: { name } },
            { name: 'results', persistentVolumeClaim: { claimName: claim } },
          ],
        },
      },
    },
  };
  const text = rows.map((words) => `${words.map(shellQuote).join(' ')}\n`).join('');
  return [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data: { rows: text } }, job];
}

/** A name that is a label of DNS, with room for an index. */
function dnsName(name: string): string {
  const plain = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 40)
    .replace(/-+$/, '');
  return plain === '' ? 'harness' : `harness-${plain}`;
}
