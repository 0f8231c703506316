import { mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { copyCheckout, SYSTEM_PATH } from './support/checkout-copy.ts';

const folder = mkdtempSync(join(tmpdir(), 'harness-setup-'));
beforeAll(() => copyCheckout(folder));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `start.mjs --setup` in the copy, on the system's Node, which may be an old one. */
function setUp() {
  const env = { PATH: SYSTEM_PATH };
  return execa('node', ['harness/setup/start.mjs', '--setup'], { cwd: folder, env, timeout: 10 * 60_000 });
}

test('two first starts at once: one installs, the other waits, both are ready', async () => {
  const both = await Promise.all([setUp(), setUp()]);
  const said = both.map(({ stderr }) => stderr).join('\n');
  expect(said.match(/npm ci …/g)).toHaveLength(1);
  expect(said).toContain('set-up: npm packages: installed in');
  expect(readlinkSync(join(folder, 'node_modules/.bin/harness'))).toBe('../../harness/setup/harness.mjs');
  const { stdout } = await execa(join(folder, 'node_modules/node/bin/node'), ['--version']);
  expect(stdout).toMatch(/^v24\./);
});

test('the next start installs nothing, says nothing and takes less than a second of a processor', async () => {
  // How long it waits for one is the host's affair.
  const timed = `TIMEFORMAT='%U %S'; time node harness/setup/start.mjs --setup`;
  const { stderr } = await execa('bash', ['-c', timed], { cwd: folder, env: { PATH: SYSTEM_PATH, LC_ALL: 'C' } });
  expect(stderr).toMatch(/^[\d.]+ [\d.]+$/);
  const [user = 0, system = 0] = stderr.split(' ').map(Number);
  expect(user + system).toBeLessThan(1);
});
