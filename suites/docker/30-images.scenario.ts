import { expect, type ScenarioTarget } from 'multiarch-harness';
import { type Image, test } from './engine.ts';

const FOLDER = '/tmp/build';
const DOCKERFILE = `FROM tool:1 AS make
SHELL ["/bin/busybox", "sh", "-c"]
COPY source /src/source
RUN busybox tr a-z A-Z < /src/source > /src/made
FROM tool:1
LABEL stage=last
COPY --from=make /src/made /made
COPY note /note
CMD ["/bin/busybox", "cat", "/made", "/note"]
`;

/** Builds; which steps came from the cache, in order, and the image. */
async function build(target: ScenarioTarget): Promise<{ cached: boolean[]; id: string }> {
  const said = await target.sh(`docker build --tag built:1 ${FOLDER}`, { seconds: 30 });
  const steps = said.split(/^Step /m).slice(1);
  return {
    cached: steps.map((step) => step.includes('Using cache')),
    id: /Successfully built (\w+)/.exec(said)?.[1] ?? '',
  };
}

const STEPS = ['FROM', 'SHELL', 'COPY', 'RUN', 'FROM', 'LABEL', 'COPY', 'COPY', 'CMD'];
/** What is from the cache when the named steps had to be done; a FROM is nothing to cache. */
const without = (...done: number[]) => STEPS.map((step, index) => step !== 'FROM' && !done.includes(index));

test('a build takes from the cache what has not changed, and nothing after what has', async ({ target, engine }) => {
  await target.write(`${FOLDER}/Dockerfile`, DOCKERFILE);
  await target.write(`${FOLDER}/source`, 'first\n');
  await target.write(`${FOLDER}/note`, 'a note\n');
  const first = await build(target);
  expect(first.cached).toEqual(STEPS.map(() => false));
  const again = await build(target);
  expect(again).toEqual({ cached: without(), id: first.id });

  await target.write(`${FOLDER}/note`, 'another note\n');
  expect((await build(target)).cached).toEqual(without(7, 8));
  await target.write(`${FOLDER}/source`, 'second\n');
  const last = await build(target);
  // A stage that changed changes those that copy from it.
  expect(last.cached).toEqual(without(2, 3, 6, 7, 8));
  expect(await target.sh('docker run --rm --network none built:1')).toBe('SECOND\nanother note');

  const image = await engine.get<Image>('/images/built:1/json');
  const tool = await engine.get<Image>('/images/tool:1/json');
  // Of the first stage nothing is left: the base, and one layer for each COPY.
  expect(image.RootFS.Layers).toHaveLength(tool.RootFS.Layers.length + 2);
  expect(image.RootFS.Layers.slice(0, tool.RootFS.Layers.length)).toEqual(tool.RootFS.Layers);
  expect(image.Config.Labels).toEqual({ stage: 'last' });
  expect(image.Architecture).toBe(target.arch.docker.split('/')[1]);
  const history = await engine.get<{ CreatedBy: string }[]>('/images/built:1/history');
  expect(history.map(({ CreatedBy }) => /LABEL|COPY|CMD|multiarch-harness/.exec(CreatedBy)?.[0])).toEqual([
    'CMD',
    'COPY',
    'COPY',
    'LABEL',
    'multiarch-harness',
  ]);

  // Three images have lost their name to a later one.
  const dangling = () => target.sh('docker images --quiet --filter dangling=true');
  expect(await dangling()).toContain(first.id);
  expect(await target.sh('docker image prune --force')).toContain('Total reclaimed space');
  expect(await dangling()).toBe('');
});

test('an image can go through a file, and have several names', async ({ target, engine }) => {
  const before = await engine.get<Image>('/images/built:1/json');
  await target.sh('docker tag built:1 other/name:2 && docker save --output /tmp/built.tar built:1 other/name:2');
  expect((await engine.get<Image>('/images/built:1/json')).RepoTags.toSorted()).toEqual(['built:1', 'other/name:2']);
  // One name less, and the image stays; with the last one it goes.
  expect(await target.sh('docker rmi built:1')).toBe('Untagged: built:1');
  expect(await target.sh('docker rmi other/name:2')).toContain(`Deleted: ${before.Id}`);
  await expect(engine.get('/images/built:1/json')).rejects.toThrow('No such image');
  const loaded = await target.sh('docker load --input /tmp/built.tar && rm /tmp/built.tar');
  expect(loaded.split('\n').sort()).toEqual(['Loaded image: built:1', 'Loaded image: other/name:2']);
  expect((await engine.get<Image>('/images/built:1/json')).Id).toBe(before.Id);
  await target.sh(`docker rmi built:1 other/name:2 && docker image prune --force && rm -r ${FOLDER}`);
});

test('an image for another architecture is refused by those who ask for theirs', async ({ target, engine }) => {
  const own = target.arch.docker.split('/')[1]!;
  const foreign = own === 'arm64' ? 'ppc64le' : 'arm64';
  await target.sh(`mkdir -p ${FOLDER}/image && cd ${FOLDER}/image && docker save tool:1 | tar -x &&
    sed -i 's/"architecture":"${own}"/"architecture":"${foreign}"/' $(sed 's/.*"Config":"\\([^"]*\\)".*/\\1/' manifest.json) &&
    sed -i 's/tool:1/foreign:1/' manifest.json && rm -f repositories index.json && tar -c . | docker load`);
  expect((await engine.get<Image>('/images/foreign:1/json')).Architecture).toBe(foreign);
  const refusal = await engine.post(`/containers/create?platform=linux/${own}`, { Image: 'foreign:1' }).catch(String);
  expect(refusal).toMatch(/image with reference foreign:1 was found but .*does not match the specified platform/);
  expect(refusal).toContain(`linux/${foreign}`);

  // Without asking one gets a warning, and what comes of it.
  await target.sh(`cd ${FOLDER} && printf 'FROM foreign:1\\nCOPY program /program\\n' > Dockerfile &&
    printf '${foreignProgram(foreign)}' > program && chmod +x program && docker build --tag foreign:2 .`);
  const run = await target.exec('docker run --rm --network none foreign:2 /program');
  expect(run.stderr).toContain(
    `The requested image's platform (linux/${foreign}) does not match the detected host platform (linux/${own}`,
  );
  expect(run.stderr).toContain('exec format error');
  expect(run.exitCode).not.toBe(0);
  await target.sh(`docker rmi foreign:2 foreign:1 && docker image prune --force && rm -r ${FOLDER}`);
});

/** The header of a program for another processor, as printf writes it: 64-bit ELF, and which machine. */
function foreignProgram(arch: 'arm64' | 'ppc64le'): string {
  const machine = arch === 'arm64' ? '\\267' : '\\025';
  return `\\177ELF\\002\\001\\001${'\\000'.repeat(9)}\\002\\000${machine}\\000\\001${'\\000'.repeat(43)}`;
}
