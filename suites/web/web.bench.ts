import { expect, test } from 'multiarch-harness';
import { http, keepAlive } from './http.ts';
import { command, RedisConnection } from './redis.ts';

test('static page over 4 connections', async ({ stack, measure }) => {
  using agent = keepAlive(4);
  const url = stack.url('http', '/ping.txt');
  await measure.onController(
    async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, () => http(url, { agent })));
      // Counted, because a server that refuses is fast.
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(50);
    },
    { samples: 10, operations: 50, per: 'request' },
  );
});

test('Redis pipelined SET', async ({ stack, measure }) => {
  const { host, port } = stack.endpoint('redis');
  using redis = await RedisConnection.open(host, port);
  const request = Array.from({ length: 1000 }, (_, index) => command('SET', `bench:${index}`, `value-${index}`)).join(
    '',
  );
  const expected = '+OK\r\n'.repeat(1000);
  await measure.onController(
    async () => {
      expect((await redis.ask(request, expected.length)) === expected).toBe(true);
    },
    { samples: 10, operations: 1000, per: 'SET' },
  );
});

// Inputs are in /run, which is memory: the disk's times are the host's, and vary.

test('SHA-256 of 8 MiB', async ({ target, measure }) => {
  await target.sh('mkdir -p /run/bench && head -c 8388608 /dev/zero > /run/bench/zeros');
  await measure.inGuest('sha256sum /run/bench/zeros > /dev/null', { samples: 10, operations: 8, per: 'MiB' });
});

test('gzip of 4 MiB', async ({ target, measure }) => {
  await target.sh('mkdir -p /run/bench && seq 1 700000 | head -c 4194304 > /run/bench/text');
  // The fastest level: the usual one takes seconds on an emulated machine.
  await measure.inGuest('gzip -1 -c /run/bench/text > /dev/null', { samples: 10, operations: 4, per: 'MiB' });
});

test('perl loop', async ({ measure }) => {
  await measure.inGuest(['perl', '-e', 'my $sum = 0; $sum += $_ * $_ % 7 for 1 .. 100_000'], {
    samples: 10,
    operations: 100_000,
    per: 'iteration',
  });
});
