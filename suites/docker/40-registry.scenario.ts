import { request } from 'node:https';
import { eventually, expect, type ScenarioStack } from 'multiarch-harness';
import { type Image, test } from './engine.ts';

/** The registry by the name that its certificate has, at an address that is not one of 127.0.0.1: those are trusted. */
const REGISTRY = 'registry.test:5443';
const IMAGE = `${REGISTRY}/tools/tool:1`;
const PASSWORD = 'battery staple';

/** Asks the registry over TLS, as one who trusts the run's authority. */
function ask(
  stack: ScenarioStack,
  ca: string,
  method: string,
  path: string,
  credentials = `keeper:${PASSWORD}`,
): Promise<{ status: number; digest: string; text: string }> {
  const { host, port } = stack.endpoint('registry');
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
      accept: 'application/vnd.docker.distribution.manifest.v2+json',
    };
    const options = { host, port, path, method, ca, servername: 'registry.test', headers, agent: false };
    const asked = request(options, (response) => {
      let text = '';
      response.on('error', reject);
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, digest: String(response.headers['docker-content-digest']), text }),
      );
    });
    asked.on('error', reject);
    asked.end();
  });
}

test('a private registry takes and gives images over TLS, to those who have the password', async ({
  target,
  engine,
  stack,
  onTestFinished,
}) => {
  const config = '--config /tmp/docker-config';
  await target.sh(`docker network create registry &&
    docker run --detach --name store --network registry registry:1 &&
    docker run --detach --name front --network registry --publish 5443:443 --volume /srv/docker/registry:/etc/nginx/registry:ro \\
      web:1 /bin/busybox sh /etc/nginx/registry/start-front`);
  // Its authority and its certificate are made for this run, in the container.
  const ca = await eventually(() => target.sh('docker exec front /bin/busybox cat /tls/ca.crt'), { seconds: 10 });
  await eventually(async () => expect((await ask(stack, ca, 'GET', '/v2/')).status).toBe(200), { seconds: 10 });
  onTestFinished(async () => {
    await target.sh(`if [ -e /tmp/hosts ]; then cp /tmp/hosts /etc/hosts; fi
      rm -rf /tmp/hosts /tmp/docker-config /etc/docker/certs.d/${REGISTRY}`);
  });
  await target.sh("cp /etc/hosts /tmp/hosts && echo '172.17.0.1 registry.test' >> /etc/hosts");
  await target.sh(`docker tag tool:1 ${IMAGE}`);
  const refused = async (command: string) => {
    const { exitCode, stderr } = await target.exec(`docker ${config} ${command}`);
    expect(exitCode, command).not.toBe(0);
    return stderr;
  };
  const login = (password: string) => `login --username keeper --password '${password}' ${REGISTRY}`;

  expect(await refused(`push ${IMAGE}`)).toContain('certificate signed by unknown authority');
  await target.write(`/etc/docker/certs.d/${REGISTRY}/ca.crt`, ca);
  expect(await refused(`push ${IMAGE}`)).toContain('no basic auth credentials');
  expect(await refused(login('wrong'))).toContain('401 Unauthorized');
  expect((await ask(stack, ca, 'GET', '/v2/_catalog', 'keeper:wrong')).status).toBe(401);

  expect(await target.sh(`docker ${config} ${login(PASSWORD)}`)).toContain('Login Succeeded');
  const { Id } = await engine.get<Image>('/images/tool:1/json');
  await target.sh(`docker ${config} push --quiet ${IMAGE}`);
  expect(JSON.parse((await ask(stack, ca, 'GET', '/v2/_catalog')).text)).toEqual({ repositories: ['tools/tool'] });
  const manifest = await ask(stack, ca, 'GET', '/v2/tools/tool/manifests/1');
  expect(JSON.parse(manifest.text)).toMatchObject({ schemaVersion: 2, config: { digest: Id } });

  // What is pulled is what was pushed, also by its digest.
  await target.sh(`docker rmi --no-prune ${IMAGE}`);
  await target.sh(`docker ${config} pull --quiet ${IMAGE}`);
  expect((await engine.get<Image>(`/images/${IMAGE}/json`)).Id).toBe(Id);
  await target.sh(`docker ${config} pull --quiet ${REGISTRY}/tools/tool@${manifest.digest}`);

  expect((await ask(stack, ca, 'DELETE', `/v2/tools/tool/manifests/${manifest.digest}`)).status).toBe(202);
  await target.sh(`docker rmi --no-prune ${IMAGE}`);
  expect(await refused(`pull ${IMAGE}`)).toMatch(/manifest unknown|not found/);
  await target.sh(`docker ${config} logout ${REGISTRY}`);
});
