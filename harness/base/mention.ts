/** Milliseconds of waiting before the first call of `say`, and between calls. */
const MENTION_MS = { first: 3000, again: 10_000 } as const;

/** Calls `say` after three seconds and then every ten, until the function that it returns is called. */
export function mention(say: () => void): () => void {
  const again = () => {
    say();
    timer = setTimeout(again, MENTION_MS.again);
  };
  let timer = setTimeout(again, MENTION_MS.first);
  return () => clearTimeout(timer);
}
