import { open } from 'node:fs/promises';

/** `e_machine` of an ELF file (System V ABI, figure 4-3); undefined of anything else. */
export async function elfMachineOf(file: string): Promise<number | undefined> {
  await using handle = await open(file);
  const header = Buffer.alloc(20);
  const { bytesRead } = await handle.read(header, 0, header.length, 0);
  if (bytesRead < header.length || header.toString('latin1', 0, 4) !== '\x7fELF') return undefined;
  return header[5] === 2 ? header.readUInt16BE(18) : header.readUInt16LE(18);
}
