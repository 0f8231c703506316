import { setTimeout as delay } from 'node:timers/promises';
import { eventually, expect, test } from 'multiarch-harness';
import { http } from './http.ts';

test('a new configuration is taken up under load, and no request fails', async ({ target, stack }) => {
  const url = stack.url('http', '/ping.txt');
  const next = `v${Date.now()}`;
  /** The version that each answer came from, or what went wrong. */
  const answers: string[] = [];
  const stop = new AbortController();
  // A connection for each request: one that is kept may be closed by a reload just when a request is on its way,
  // which HTTP allows (RFC 9112, 9.5) and a client has to expect.
  const client = async () => {
    while (!stop.signal.aborted) {
      answers.push(
        await http(url).then(
          ({ status, headers }) => (status === 200 ? String(headers['x-config-version']) : `status ${status}`),
          (error: Error) => `error ${error.message}`,
        ),
      );
      // A failing server must not make a million answers.
      await delay(2);
    }
  };
  const clients = [client(), client(), client()];
  const more = async (count: number) => {
    const goal = answers.length + count;
    await eventually(async () => expect(answers.length).toBeGreaterThanOrEqual(goal), { seconds: 10 });
  };
  try {
    await more(20);
    await target.write('/etc/nginx/version.conf', `add_header X-Config-Version ${next} always;\n`);
    await stack.service('nginx').reload();
    await eventually(async () => expect(answers.slice(-6)).toEqual(Array(6).fill(next)), { seconds: 10 });
    await more(20);
  } finally {
    stop.abort();
    await Promise.all(clients);
  }
  const before = answers[0];
  expect(before).not.toBe(next);
  expect(answers.filter((answer) => answer !== before && answer !== next)).toEqual([]);
});

test('a broken configuration is refused, and the old one stays', async ({ target, stack }) => {
  const path = '/etc/nginx/version.conf';
  const good = await target.read(path);
  const version = async () => (await http(stack.url('http', '/ping.txt'))).headers['x-config-version'];
  const before = await version();
  try {
    await target.write(path, 'no_such_directive on;\n');
    expect(await target.exec('nginx -t -q')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('unknown directive "no_such_directive"'),
    });
    await stack
      .service('nginx')
      .reload()
      .catch(() => {});
    expect(await version()).toBe(before);
  } finally {
    await target.write(path, good);
  }
  expect(await stack.service('nginx').isActive()).toBe(true);
});
