import { inert } from '../../base/quote.ts';

/** An answer's text. It comes from another machine, which may send without an end. */
interface Read {
  readonly text: string;
  /** Whether this is all of it. */
  readonly whole: boolean;
}

/** Reads at most so many bytes, after decompression. */
export async function readUpTo(answer: Response, most: number): Promise<Read> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes > most) break;
  }
  return { text: Buffer.concat(chunks).subarray(0, most).toString('utf8'), whole: bytes <= most };
}

/** What a server says beside a status, for a message: one short line that is safe to print. */
export async function saidBy(answer: Response): Promise<string> {
  const { text } = await readUpTo(answer, 300).catch(() => ({ text: '' }));
  return inert(text.trim().replace(/\s+/g, ' '));
}
