/** Turns the output of apt and dpkg into progress messages. */

/** How dpkg's lines begin, and the words for people. */
const PHASES: readonly [RegExp, string][] = [
  [/^(?:Unpacking |Preparing to unpack .*\/(?:\d+-)?)([a-z0-9][a-z0-9+.-]+)/, 'unpack'],
  [/^Setting up ([a-z0-9][a-z0-9+.-]+)/, 'configure'],
  [/^Processing triggers for ([a-z0-9][a-z0-9+.-]+)/, 'triggers of'],
];

/**
 * Reports `unpack 3 of 120: perl`, `configure 7 of 120: nginx` from the lines of an installation.
 * @param total packages that are installed.
 */
export function installProgress(total: number, say: (message: string) => void): (line: string) => void {
  const seen = new Map<string, Set<string>>();
  return (line) => {
    // What mmdebstrap itself does in between: `I: extracting archives...`.
    const between = /^I: (.+?)\.*$/.exec(line)?.[1];
    if (between !== undefined) return say(between.startsWith('running --') ? 'running a hook' : between);
    for (const [pattern, phase] of PHASES) {
      const name = pattern.exec(line)?.[1];
      if (name === undefined) continue;
      if (phase === 'triggers of') return say(`${phase} ${name}`);
      const names = seen.get(phase) ?? new Set();
      seen.set(phase, names);
      if (names.has(name)) return;
      names.add(name);
      return say(`${phase} ${names.size} of ${Math.max(total, names.size)}: ${name}`);
    }
  };
}

/** Reports `download 3: perl, 62.1 MB in all` from the lines of a download. */
export function downloadProgress(say: (message: string) => void): (line: string) => void {
  let size = '';
  let count = 0;
  return (line) => {
    size = /^Need to get ([\d,.]+ ?\w*B)\b/.exec(line)?.[1] ?? size;
    const name = /^Get:\d+ \S+ \S+ \S+ ([a-z0-9][a-z0-9+.-]+)/.exec(line)?.[1];
    if (name === undefined) return;
    count += 1;
    say(`download ${count}: ${name}${size === '' ? '' : `, ${size} in all`}`);
  };
}
