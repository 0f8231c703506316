import { expect, test } from 'vitest';
import { hopeless, isUp, notUp, type ServiceState } from './states.ts';

const state = (more: Partial<ServiceState>): ServiceState => ({
  service: 'db',
  status: 'running',
  exitCode: 0,
  ...more,
});

test.each<[Partial<ServiceState>, boolean, string | undefined]>([
  [{}, true, undefined],
  [{ health: 'healthy' }, true, undefined],
  [{ health: 'starting' }, false, undefined],
  [{ health: 'unhealthy' }, false, 'the service "db" is unhealthy'],
  [{ status: 'created' }, false, undefined],
  [{ status: 'restarting', exitCode: 1 }, false, undefined],
  [{ status: 'exited' }, true, undefined],
  [{ status: 'exited', exitCode: 3 }, false, 'the service "db" exited with 3'],
  [{ status: 'dead', exitCode: 137 }, false, 'the service "db" is dead'],
])('%o: up %s, hopeless %s', (more, up, why) => {
  expect(isUp(state(more))).toBe(up);
  expect(hopeless([state({ service: 'web' }), state(more)])).toBe(why);
});

test('a late service is named, with its state', () => {
  const states = [
    state({}),
    state({ service: 'app', health: 'starting' }),
    state({ service: 'web', status: 'created' }),
  ];
  expect(notUp(states, 90_000)).toBe('the service "app" is starting, the service "web" is created after 90.0 s');
  expect(notUp([], 90_000)).toBe('no service was made after 90.0 s');
});
