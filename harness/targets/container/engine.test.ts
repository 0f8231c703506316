import { createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { asked, engineAddress, engineInfo, isLocal } from './engine.ts';

test.each([
  ['no variable', {}, { host: 'unix:///var/run/docker.sock', portsAt: '127.0.0.1' }, true],
  ['a socket', { DOCKER_HOST: 'unix:///run/a.sock' }, { host: 'unix:///run/a.sock', portsAt: '127.0.0.1' }, true],
  [
    'a forwarded socket',
    { DOCKER_HOST: 'unix:///run/a.sock', TESTCONTAINERS_HOST_OVERRIDE: 'arm-box' },
    { host: 'unix:///run/a.sock', portsAt: 'arm-box' },
    false,
  ],
  ['a machine', { DOCKER_HOST: 'tcp://arm-box:2375' }, { host: 'tcp://arm-box:2375', portsAt: 'arm-box' }, false],
  [
    'a machine with TLS',
    { DOCKER_HOST: 'tcp://arm-box:2376', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certificates' },
    { host: 'tcp://arm-box:2376', portsAt: 'arm-box', certificates: '/certificates' },
    false,
  ],
])('%s', (_, env, expected, local) => {
  expect(engineAddress(env)).toEqual(expected);
  expect(isLocal(engineAddress(env))).toBe(local);
});

test.each(['ssh://arm-box', 'npipe:////./pipe/docker', 'arm-box:2375', 'tcp://'])('%s is refused', (DOCKER_HOST) => {
  expect(() => engineAddress({ DOCKER_HOST })).toThrow(`cannot use the Docker engine at "${DOCKER_HOST}"`);
});

test('a missing engine, and one that never answers, are errors that name it', async () => {
  const nobody = engineAddress({ DOCKER_HOST: 'unix:///nowhere/docker.sock' });
  await expect(engineInfo(nobody)).rejects.toThrow(
    'cannot reach the Docker engine at unix:///nowhere/docker.sock: connect ENOENT',
  );
  const asking: Socket[] = [];
  const silent = createServer((socket) => void asking.push(socket)).listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  const { port } = silent.address() as { port: number };
  const address = engineAddress({ DOCKER_HOST: `tcp://127.0.0.1:${port}` });
  const question = asked(address, 'ask', (engine) => engine.info(), 300);
  await expect(question).rejects.toThrow(
    `cannot ask the Docker engine at tcp://127.0.0.1:${port}: no answer within 0.3 s`,
  );
  for (const socket of asking) socket.destroy();
  silent.close();
});
