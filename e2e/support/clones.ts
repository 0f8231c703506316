import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type ArchName, architectures } from '../../harness/arch/index.ts';
import { InfraError } from '../../harness/base/errors.ts';
import { cacheFolder, makeRuntimeFolder } from '../../harness/base/folders.ts';
import { loadMatrix, loadSuite } from '../../harness/config/load/load.ts';
import { needsOf } from '../../harness/matrix/gate.ts';
import { DEFAULT_RELEASE } from '../../harness/releases/index.ts';
import { imageOf, imageSettings } from '../../harness/run/cell/image.ts';
import { openLease } from '../../harness/run/schedule/lease.ts';
import { Slots } from '../../harness/run/schedule/quiet.ts';
import type { Target } from '../../harness/targets/target.ts';
import { vmProvider } from '../../harness/targets/vm/provider.ts';
import { makeProject, suiteYaml, type TestProject } from './project.ts';

/** Facts that a clone reports about itself. */
export interface Clone {
  readonly machineId: string;
  /** Fingerprint of its SSH host key. */
  readonly hostKey: string;
  /** The first output of its random generator. */
  readonly random: string;
  /** Lower bound of its clock's error, in milliseconds: reading it takes a moment. */
  readonly skewMs: number;
  /** Milliseconds from the start of its resume until a command was answered over SSH. */
  readonly resumeMs: number;
}

/**
 * Resumes machines from one snapshot, all of which run at the same time, and collects facts from each once all are up.
 * Nothing of them remains afterwards.
 * @param atOnce how many are resumed at the same time.
 */
export async function cloneMachines(arch: ArchName, count: number, atOnce: number): Promise<Clone[]> {
  await using project = await makeProject({
    'matrices/clone.yaml': `arch: [${arch}]\nsuite: [clone]\n`,
    'suites/clone/suite.yaml': suiteYaml(),
    'suites/clone/a.scenario.ts': `import { test } from 'multiarch-harness';\ntest('is there', () => {});\n`,
  });
  const { exitCode, stderr } = await project.harness(['run', 'clone']);
  if (exitCode !== 0) throw new InfraError(`the machine to be cloned was not saved:\n${stderr}`);
  const cache = cacheFolder();
  const suite = await loadSuite(join(project.folder, 'suites/clone'));
  const matrix = await loadMatrix(join(project.folder, 'matrices/clone.yaml'));
  const image = await imageOf({ arch, suite, release: DEFAULT_RELEASE }, imageSettings(matrix, cache), {});
  const snapshot = join(await newestSnapshot(project, `${arch} clone`), suite.name);
  const provider = vmProvider(cache);
  const lease = openLease(project.env['HARNESS_STATE']!, 'clones', project.folder);
  const slots = new Slots(atOnce);
  const started: Target[] = [];

  const resume = async (index: number): Promise<[Target, number]> => {
    const folder = join(project.folder, 'clones', String(index));
    await mkdir(folder, { recursive: true });
    const begun = performance.now();
    const target = await provider.snapshots!.resume(
      {
        cell: `clone-${index}`,
        arch: architectures[arch],
        needs: needsOf(suite),
        vcpus: suite.machine.vcpus,
        memoryBytes: suite.machine.memory * 2 ** 20,
        ports: [],
        hostname: `clone-${index}`,
        network: false,
        bootDeadlineMs: 300_000,
        vm: { image, identity: 'own', timers: 'coarse', snapshots: false, counting: false },
      },
      snapshot,
      {
        run: lease.run,
        folder,
        makeRuntimeFolder,
        signal: new AbortController().signal,
        keep: false,
        register: async (resource) => lease.register(resource),
        leaveBehind: () => lease.leaveBehind(),
        progress: () => {},
        phase: () => {},
      },
    );
    started.push(target);
    return [target, performance.now() - begun];
  };

  try {
    const machines = await Promise.all(
      Array.from({ length: count }, (_, index) => slots.use(() => resume(index), String(index))),
    );
    return await Promise.all(machines.map(([target, resumeMs]) => slots.use(() => ask(target, resumeMs), 'ask')));
  } finally {
    await Promise.all(started.map((target) => target[Symbol.asyncDispose]()));
    await lease.end();
  }
}

const QUESTION =
  'date +%s.%N; cat /etc/machine-id; sha256sum < /etc/ssh/harness_host_key; head -c 16 /dev/urandom | sha256sum';

async function ask(target: Target, resumeMs: number): Promise<Clone> {
  const before = Date.now();
  const { stdout } = await target.exec(['sh', '-c', QUESTION], { deadlineMs: 120_000 });
  const [seconds = '', machineId = '', hostKey = '', random = ''] = stdout.split('\n');
  const clock = Number(seconds) * 1000;
  const skewMs = clock < before ? clock - before : Math.max(0, clock - Date.now());
  return { machineId, hostKey, random, skewMs, resumeMs };
}

/** The folder of the newest snapshot with a label, as `harness images list` shows it. */
export async function newestSnapshot(project: TestProject, label: string): Promise<string> {
  const { images } = JSON.parse((await project.harness(['images', 'list', '--json'])).stdout) as {
    images: { kind: string; label: string; folder: string; createdAt: string }[];
  };
  const [newest] = images
    .filter(({ kind, label: other }) => kind === 'snapshot' && other === label)
    .sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  if (!newest) throw new InfraError(`there is no snapshot of ${label}`);
  return newest.folder;
}
