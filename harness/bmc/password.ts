import { readFile } from 'node:fs/promises';
import { InfraError, messageOf } from '../base/errors.ts';

/** The password in a file: its first line. @throws InfraError when it cannot be read or is empty. */
export async function passwordIn(file: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new InfraError(`cannot read the password of the BMC: ${messageOf(cause)}`, { cause });
  }
  const [password = ''] = text.split(/\r?\n/, 1);
  if (password === '')
    throw new InfraError(`cannot read the password of the BMC: the first line of ${file} is empty`, {
      hint: 'Write the password into the file, on a line of its own.',
    });
  return password;
}
