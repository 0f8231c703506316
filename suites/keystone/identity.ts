import { test as base } from 'multiarch-harness';
import { identityAt } from '../_openstack/identity.ts';

export { ADMIN, type Identity } from '../_openstack/identity.ts';

export const test = base.extend('identity', async ({ stack }) => identityAt(stack.url('keystone', '/v3')));
