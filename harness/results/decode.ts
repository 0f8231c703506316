import type { ResultsProblem } from './types.ts';

/** Text of a file, and problems with its bytes. */
export interface Decoded {
  readonly text: string;
  readonly problems: readonly ResultsProblem[];
}

/**
 * Decodes bytes by the byte order mark (UTF-8, UTF-16 of both orders), else as `declared`, else as UTF-8. Invalid bytes
 * become U+FFFD. UTF-16 without a mark is recognised by the zero beside its first character.
 * @param declared the name of an encoding that the file itself names, such as `ISO-8859-1`.
 */
export function decode(bytes: Uint8Array, declared?: string): Decoded {
  const label = markOf(bytes) ?? (declared === undefined ? 'utf-8' : declared);
  const decoder = decoderFor(label);
  if (!decoder)
    return {
      text: new TextDecoder('utf-8').decode(bytes),
      problems: [warning(`its encoding ${JSON.stringify(label.slice(0, 40))} is not known, so it was read as UTF-8`)],
    };
  try {
    return { text: decoder.decode(bytes), problems: [] };
  } catch {
    const text = new TextDecoder(label).decode(bytes);
    return { text, problems: [warning(`some of its bytes are not ${decoder.encoding.toUpperCase()}`)] };
  }
}

function markOf([first, second, third]: Uint8Array): string | undefined {
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if ((first === 0xff && second === 0xfe) || (first !== 0 && first !== undefined && second === 0)) return 'utf-16le';
  if ((first === 0xfe && second === 0xff) || (first === 0 && second !== 0 && second !== undefined)) return 'utf-16be';
  return undefined;
}

function decoderFor(label: string): InstanceType<typeof TextDecoder> | undefined {
  try {
    return new TextDecoder(label, { fatal: true });
  } catch {
    return undefined;
  }
}

function warning(message: string): ResultsProblem {
  return { kind: 'encoding', severity: 'warning', message };
}
