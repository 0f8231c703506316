import { eventually, expect } from 'multiarch-harness';
import { FIGURES, test } from './murano.ts';

const STRANGER = 'stranger:danger';

test('Murano has a vhost and a user of its own, as its guide makes them', async ({ broker }) => {
  expect((await broker.ask('GET', '/vhosts/muranovhost')).status).toBe(200);
  const { body: me } = await broker.ask<{ name: string; tags: string[] }>('GET', '/whoami');
  expect([me.name, me.tags]).toEqual(['muranouser', ['administrator']]);
  const { body: may } = await broker.ask('GET', '/permissions/muranovhost/muranouser');
  expect(may).toEqual({ user: 'muranouser', vhost: 'muranovhost', configure: '.*', write: '.*', read: '.*' });
  // Nothing has asked for a queue yet.
  expect((await broker.ask('GET', '/queues/muranovhost')).body).toEqual([]);
  expect((await broker.ask('GET', '/whoami', 'muranouser:wrong')).status).toBe(401);
});

test('another user sees nothing of the vhost', async ({ broker }) => {
  expect(
    (await broker.ask('PUT', '/users/stranger', undefined, { password: 'danger', tags: 'management' })).status,
  ).toBe(201);
  try {
    expect((await broker.ask('GET', '/whoami', STRANGER)).status).toBe(200);
    expect((await broker.ask('GET', '/vhosts', STRANGER)).body).toEqual([]);
    for (const path of ['/queues/muranovhost', '/exchanges/muranovhost', '/queues/muranovhost/tasks'])
      expect((await broker.ask('GET', path, STRANGER)).status).toBe(401);
    const message = { properties: {}, routing_key: 'tasks', payload: 'x', payload_encoding: 'string' };
    const sent = await broker.ask('POST', '/exchanges/muranovhost/amq.default/publish', STRANGER, message);
    expect(sent.status).toBe(401);
  } finally {
    await broker.ask('DELETE', '/users/stranger');
  }
});

test('durable queues and what is in them survive a restart of RabbitMQ', async ({ broker, stack }) => {
  for (const durable of [true, false])
    expect(
      (await broker.ask('PUT', `/queues/muranovhost/lasting-${durable}`, undefined, { durable, auto_delete: false }))
        .status,
    ).toBe(201);
  const message = {
    properties: { delivery_mode: 2 },
    routing_key: 'lasting-true',
    payload: 'still here',
    payload_encoding: 'string',
  };
  const sent = await broker.ask('POST', '/exchanges/muranovhost/amq.default/publish', undefined, message);
  expect(sent.body).toEqual({ routed: true });

  await stack.service('rabbitmq-server').restart();
  await stack.ready();
  await eventually(async () => expect(await broker.queue('lasting-true')).toMatchObject({ messages: 1 }), FIGURES);
  expect(await broker.queue('lasting-false')).toBeUndefined();
  const get = { count: 1, ackmode: 'ack_requeue_false', encoding: 'auto' };
  const { body } = await broker.ask<{ payload: string }[]>(
    'POST',
    '/queues/muranovhost/lasting-true/get',
    undefined,
    get,
  );
  expect(body.map(({ payload }) => payload)).toEqual(['still here']);
  expect((await broker.ask('DELETE', '/queues/muranovhost/lasting-true')).status).toBe(204);
});
