import { test } from 'multiarch-harness';

test('perl loop', async ({ measure }) => {
  await measure.inGuest(['perl', '-e', 'my $sum = 0; $sum += $_ * $_ % 7 for 1 .. 100_000'], {
    operations: 100_000,
    per: 'iteration',
  });
});

test('fork and exec', async ({ measure }) => {
  await measure.inGuest(['perl', '-e', 'system("/bin/true") for 1 .. 5'], { operations: 5, per: 'process' });
});
