/** What a server asks for when it answers with 401: `Bearer realm="https://auth.lab/token",service="registry.lab"`. */
export interface Challenge {
  /** In lower case: `bearer`. */
  readonly scheme: string;
  /** By their names in lower case. */
  readonly params: ReadonlyMap<string, string>;
}

/** Characters of a header that is read; no registry means a longer one. */
const LONGEST = 8192;

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const BETWEEN = /[ \t]*(?:$|,[ \t,]*)/y;
const SCHEME = new RegExp(`(${TOKEN})(?: +|(?=[ \\t]*(?:,|$)))`, 'y');
const PARAM = new RegExp(`(${TOKEN})[ \\t]*=[ \\t]*(?:(${TOKEN})|"((?:[\\t !#-[\\]-~]|\\\\[\\t -~])*)")`, 'y');
const TOKEN68 = /[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))/y;

/**
 * Reads `WWW-Authenticate`; several of them are joined with commas (RFC 9110, 11.6.1). It comes from another machine: what the
 * grammar does not allow, or says twice, is not guessed at.
 * @returns undefined: it cannot be read.
 */
export function parseChallenges(header: string): Challenge[] | undefined {
  if (header.length > LONGEST) return undefined;
  const found: { readonly scheme: string; readonly params: Map<string, string>; closed: boolean }[] = [];
  let at = 0;
  const take = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match) at += match[0].length;
    return match;
  };
  /** Takes a parameter. @returns whether there was one that may stand here; undefined: there was none. */
  const param = (): boolean | undefined => {
    const match = take(PARAM);
    if (!match) return undefined;
    const [, name = '', plain, quoted = ''] = match;
    const current = found.at(-1);
    if (!current || current.closed || current.params.has(name.toLowerCase())) return false;
    current.params.set(name.toLowerCase(), plain ?? quoted.replace(/\\(.)/g, '$1'));
    return true;
  };
  for (take(/[ \t,]*/y); at < header.length; ) {
    const more = param();
    if (more === false) return undefined;
    if (more === undefined) {
      const scheme = take(SCHEME);
      if (!scheme) return undefined;
      const next = { scheme: scheme[1]!.toLowerCase(), params: new Map<string, string>(), closed: false };
      found.push(next);
      // What follows the scheme directly is its own.
      if (!param()) next.closed = take(TOKEN68) !== null;
    }
    if (!take(BETWEEN)) return undefined;
  }
  return found;
}
