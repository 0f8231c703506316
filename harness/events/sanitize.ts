/**
 * A deep copy in which every string is valid Unicode: lone surrogates become U+FFFD. Guest output is cut at arbitrary
 * bytes and columns, and a lone surrogate breaks UTF-8 files, XML and SQLite. Undefined properties are dropped and
 * numbers that JSON cannot hold become null, as in JSON.
 */
export function sanitize<T>(value: T): T {
  return JSON.parse(toLine(value)) as T;
}

/** One line of JSON without lone surrogates and without a newline. */
export function toLine(value: unknown): string {
  // Keys come from our own types, except in records, where a key may be any string.
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === 'string') return inner.toWellFormed();
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).map(([key, held]) => [key.toWellFormed(), held]));
  });
}
