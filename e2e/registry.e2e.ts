import { expect, test } from 'vitest';
import { makeProject } from './support/project.ts';

test('a registry on one machine has an image for two architectures, and each machine pulls its own', async () => {
  await using project = await makeProject({
    'matrices/mirror.yaml': 'arch: [amd64+arm64]\nsuite: [mirror]\n',
    'suites/mirror/suite.yaml': `needs: [docker]
machine: {vcpus: 1, memory: 768, disk: 3072}
nodes: {n1: {}, n2: {}}
stack:
  packages: [docker.io]
  services: [docker]
  registry: n1
  images: [{tag: "hello:1", packages: [busybox-static], command: [/bin/busybox, uname, -m]}]
  ready: [{command: docker image inspect hello:1, seconds: 2}]
timeouts: {boot: 30, command: 20}
`,
    'suites/mirror/mirror.scenario.ts': `import { expect, test } from 'multiarch-harness';

const LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const ASK = \`print HTTP::Tiny->new->get("http://n1:5000/v2/hello/manifests/1", {headers => {accept => "\${LIST}"}})->{content}\`;

test('one tag, two architectures', async ({ cluster }) => {
  const [n1, n2] = cluster.nodes;
  // Requested from the machine that does not run it, over the cluster's network.
  const answer = await n2.exec(['perl', '-MHTTP::Tiny', '-e', ASK]);
  const { mediaType, manifests } = JSON.parse(answer.stdout);
  expect(mediaType).toBe(LIST);
  expect(manifests.map(({ platform }) => platform.architecture)).toEqual(['amd64', 'arm64']);
  for (const node of cluster.nodes) {
    const own = node.arch.docker.split('/')[1];
    const inspect = ['docker', 'image', 'inspect', '--format', '{{.Architecture}}', 'n1:5000/hello:1', 'hello:1'];
    expect((await node.exec(inspect)).stdout).toBe(\`\${own}\\n\${own}\\n\`);
    expect(await node.sh('docker run --rm --network none hello:1')).toBe(node.arch.machine);
  }
  expect(await n1.sh('systemctl is-active docker-registry')).toBe('active');
  expect((await n2.exec('systemctl is-active docker-registry')).exitCode).not.toBe(0);
});
`,
  });
  for (const _ of ['cold', 'resumed']) {
    const { exitCode, stderr } = await project.harness(['run', 'mirror']);
    expect(exitCode, stderr).toBe(0);
  }
  expect((await project.results()).cells[0]?.facts?.resumed).toMatch(/^\d{4}-/);
});
