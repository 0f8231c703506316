/** Control characters, and characters that reorder or hide the text around them. */
const unsafe = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** An untrusted string as one short line that is safe to print: quoted, nothing in it can steer a terminal. */
export function quote(text: string, longest = 80): string {
  return inert(JSON.stringify(text.length > longest ? `${text.slice(0, longest)}…` : text));
}

/** The same without quotes and at full length, for a path or a message inside an error. */
export function inert(text: string): string {
  return text.replace(unsafe, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`);
}
