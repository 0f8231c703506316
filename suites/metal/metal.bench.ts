import { test } from 'multiarch-harness';
import { enlist } from './metal.ts';

test('power-on to enlisted and off', async ({ cluster, target, measure }) => {
  await measure.onController(() => enlist(target, cluster.blank('m1')), { samples: 3, warmup: 0 });
});
