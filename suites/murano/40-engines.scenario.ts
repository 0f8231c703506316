import { deadlineMs, eventually, expect } from 'multiarch-harness';
import { bytesOf, FIGURES, test } from './murano.ts';

/** The environments whose tasks an engine began, by its log. */
const begun = (log: string): string[] =>
  [...log.matchAll(/Starting processing task: .*?"id": "([0-9a-f]{32})"/g)].map(([, id]) => id!);

test('two engines share the work', { timeout: deadlineMs(120) }, async ({ murano, programs, target }) => {
  await programs.apiUp();
  // The library is there if the file before this one ran.
  const core = await murano.upload('io.murano', await bytesOf(target, '/usr/share/murano-common/io.murano.zip'));
  expect([200, 409]).toContain(core.status);
  await programs.engineUp(programs.engine, 1);
  await programs.engineUp(programs.other, 2);
  const sent: string[] = [];
  for (const name of ['one', 'two', 'three', 'four']) sent.push(await murano.send(name));
  for (const id of sent) expect(await murano.settled(id)).toBe('ready');
  const [engine, other] = await Promise.all([programs.engine.log(), programs.other.log()]);
  const of = (log: string) => begun(log).filter((id) => sent.includes(id));
  expect([...of(engine), ...of(other)].sort()).toEqual(sent.toSorted());
  expect(of(engine).length).toBeGreaterThan(0);
  expect(of(other).length).toBeGreaterThan(0);
});

test('what an engine that is killed was at is lost, and what waits is not', { timeout: deadlineMs(120) }, async ({
  murano,
  programs,
  broker,
  identity,
}) => {
  await programs.apiUp();
  await programs.engineUp(programs.engine, 2);
  await programs.other.stop();
  await eventually(async () => expect(await broker.queue('tasks')).toMatchObject({ consumers: 1 }), FIGURES);
  const midway = await murano.send('midway');
  await eventually(async () => expect(begun(await programs.engine.log())).toContain(midway), { seconds: 20 });
  await programs.engine.kill();
  const waiting = await murano.send('waiting');
  await eventually(
    async () => expect(await broker.queue('tasks')).toMatchObject({ messages: 1, consumers: 0 }),
    FIGURES,
  );

  await programs.engineUp(programs.other, 1);
  expect(await murano.settled(waiting)).toBe('ready');
  // Its message was acknowledged when the engine began: nobody does the rest, until an operator gives it up.
  expect(await murano.status(midway)).toBe('deploying');
  const token = await identity.admin();
  expect((await murano.ask('DELETE', `/environments/${midway}?abandon=true`, { token })).status).toBe(200);
  expect((await murano.ask('GET', `/environments/${midway}`, { token })).status).toBe(404);
});
