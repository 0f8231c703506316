import { Job } from 'kubernetes-models/batch/v1';
import { ConfigMap } from 'kubernetes-models/v1';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type KubernetesClass, type KubernetesOptions, kubernetesJobs } from './kubernetes.ts';

const options: KubernetesOptions = {
  ...{ name: 'Nightly of web', image: 'registry.lab/tests:1', command: 'npx harness', before: ['npm ci'] },
  ...{ claim: 'harness-results', queue: 'ci', kvm: 'devices.kubevirt.io/kvm' },
};
const arm64: KubernetesClass = {
  ...{ arch: 'arm64', cpus: 2, memoryMiB: 2036, minutes: 60 },
  rows: [
    ['nightly', '--only', 'arm64/vm/web'],
    ['nightly', '--only', 'arm64/vm/shop', '-t', "it's"],
  ],
};

/** The objects of a text, each checked against the schema that Kubernetes publishes. */
function objectsOf(text: string): { job: Job; rows: string }[] {
  const documents = parseAllDocuments(text).map((document) => document.toJS() as { kind: string });
  const maps = documents.filter(({ kind }) => kind === 'ConfigMap').map((one) => new ConfigMap(one as never));
  const jobs = documents.filter(({ kind }) => kind === 'Job').map((one) => new Job(one as never));
  for (const one of [...maps, ...jobs]) one.validate();
  expect(maps.map(({ metadata }) => metadata?.name)).toEqual(jobs.map(({ metadata }) => metadata?.name));
  return jobs.map((job, index) => ({ job, rows: maps[index]!.data!['rows']! }));
}

test('a job for each class, as the published schema has it', () => {
  const [{ job, rows } = { job: undefined, rows: '' }, ...others] = objectsOf(kubernetesJobs([arm64], options));
  expect(others).toEqual([]);
  expect(rows.split('\n')).toEqual(['nightly --only arm64/vm/web', `nightly --only arm64/vm/shop -t 'it'\\''s'`, '']);
  expect(job?.metadata).toMatchObject({
    name: 'harness-nightly-of-web-0',
    labels: { 'kueue.x-k8s.io/queue-name': 'ci' },
  });
  expect(job?.spec).toMatchObject({ completionMode: 'Indexed', completions: 2, parallelism: 2, suspend: true });
  const pod = job?.spec?.template.spec;
  expect(pod?.nodeSelector).toEqual({ 'kubernetes.io/arch': 'arm64' });
  expect(pod?.containers[0]?.resources?.limits).toEqual({ cpu: '2', memory: '2036Mi', 'devices.kubevirt.io/kvm': '1' });
  expect(job?.spec?.podFailurePolicy?.rules.map(({ action }) => action)).toEqual(['Ignore', 'FailIndex']);
});

test('a schema that is checked refuses what is none', () => {
  const wrong = kubernetesJobs([arm64], options).replace('completionMode: Indexed', 'completionMode: [Indexed]');
  expect(() => objectsOf(wrong)).toThrow('completionMode');
});

test('more rows than an object may hold are several jobs, of which not all run at once', () => {
  const many = { ...arm64, rows: Array.from({ length: 12_000 }, (_, index) => ['--only', `arm64/vm/s${index}`]) };
  const jobs = objectsOf(kubernetesJobs([many], options));
  expect(jobs.map(({ job }) => job.spec?.completions)).toEqual([5_000, 5_000, 2_000]);
  for (const { job, rows } of jobs) {
    expect(job.spec?.parallelism).toBeLessThanOrEqual(10_000);
    expect(rows.length).toBeLessThan(2 ** 20);
  }
});
