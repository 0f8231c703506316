import { eventually, expect } from 'multiarch-harness';
import { test } from './engine.ts';

interface Stats {
  readonly cpu_stats: { readonly cpu_usage: { readonly total_usage: number } };
  readonly memory_stats: { readonly usage: number; readonly limit: number };
  readonly pids_stats: { readonly current: number };
  readonly networks: Readonly<Record<string, { readonly rx_bytes: number; readonly tx_bytes: number }>>;
}

test("what the engine says of a container's use is what the kernel says", async ({ target, engine, stack }) => {
  await target.sh(`docker run --detach --name measured --memory 64m --publish 5443:80 tool:1 \\
    /bin/busybox httpd -f -p 80 -h /bin`);
  // Something to count: two megabytes each.
  const load = async () => (await (await fetch(stack.url('registry', '/busybox'))).arrayBuffer()).byteLength;
  const size = await eventually(load, { seconds: 3 });
  for (let index = 0; index < 4; index++) expect(await load()).toBe(size);

  const { Id } = await engine.container('measured');
  const group = `/sys/fs/cgroup/system.slice/docker-${Id}.scope`;
  /** Microseconds of processor, bytes of memory, processes; then bytes received and sent. */
  const kernel = async () => {
    const numbers =
      await target.sh(`cd ${group} && sed -n 's/^usage_usec //p' cpu.stat && cat memory.current pids.current &&
      docker exec measured /bin/busybox cat /sys/class/net/eth0/statistics/rx_bytes /sys/class/net/eth0/statistics/tx_bytes`);
    const [cpu, memory, pids, received, sent] = numbers.split('\n').map(Number) as [
      number,
      number,
      number,
      number,
      number,
    ];
    return { cpu, memory, pids, received, sent };
  };
  const before = await kernel();
  const stats = await engine.get<Stats>('/containers/measured/stats?stream=false&one-shot=true');
  const after = await kernel();

  // The engine asks the kernel at a moment between our two.
  const within = (value: number, low: number, high: number, what: string) => {
    expect(value, what).toBeGreaterThanOrEqual(low);
    expect(value, what).toBeLessThanOrEqual(high);
  };
  within(stats.cpu_stats.cpu_usage.total_usage / 1000, before.cpu, after.cpu, 'microseconds of processor time');
  const eth0 = stats.networks['eth0']!;
  within(eth0.rx_bytes, before.received, after.received, 'bytes received');
  within(eth0.tx_bytes, before.sent, after.sent, 'bytes sent');
  expect(eth0.tx_bytes).toBeGreaterThan(5 * size);
  // Memory goes both ways: what a command in the container took is given back later.
  const megabyte = 2 ** 20;
  within(
    stats.memory_stats.usage,
    Math.min(before.memory, after.memory) - megabyte,
    Math.max(before.memory, after.memory) + megabyte,
    'bytes of memory',
  );
  expect(stats.memory_stats.limit).toBe(64 * megabyte);
  expect(stats.pids_stats.current).toBe(before.pids);

  const shown = await target.sh("docker stats --no-stream --format '{{.Container}} {{.MemUsage}} {{.PIDs}}' measured");
  expect(shown).toMatch(new RegExp(`^measured [\\d.]+(KiB|MiB) / 64MiB ${before.pids}$`));
});
