import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempFiles } from '../../testing/temp-files.ts';
import { openSsh } from './ssh-connection.ts';

test.each([
  ['an option that it does not know', ['-F', 'none', '-o', 'UserKnownHostsFile=/x%m'], 'unknown key %m'],
  ['a port that nobody listens on', ['-F', 'none', '-p', '1'], 'Connection refused'],
])('what ssh says of %s is told', async (_, options, said) => {
  await using files = await tempFiles();
  const address = { destination: 'nobody@127.0.0.1', options, socket: join(files.folder, 's'), name: 'here' };
  await expect(openSsh(address, 20_000)).rejects.toThrow(said);
});
