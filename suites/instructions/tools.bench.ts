import { test } from 'multiarch-harness';

// Everything comes from memory and goes nowhere: what waits for the disk cannot be counted.
const few = { samples: 6 };

test('perl loop', async ({ measure }) => {
  await measure.instructions(['perl', '-e', 'my $sum = 0; $sum += $_ * $_ % 7 for 1 .. 100_000'], few);
});

test('SHA-256 of 1 MiB', async ({ measure }) => {
  await measure.instructions('head -c 1048576 /dev/zero | sha256sum', few);
});

test('gzip of 128 KiB', async ({ measure }) => {
  await measure.instructions('seq 1 30000 | head -c 131072 | gzip -6', few);
});

test('sort of 20,000 lines', async ({ measure }) => {
  await measure.instructions('seq 20000 -1 1 | LC_ALL=C sort -n', few);
});

test('fork and exec of 20 processes', async ({ measure }) => {
  await measure.instructions(['perl', '-e', 'system("/bin/true") for 1 .. 20'], {
    ...few,
    operations: 20,
    per: 'process',
  });
});
