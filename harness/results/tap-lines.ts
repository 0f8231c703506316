/** A line of TAP or KTAP, and its indentation. */
export type TapLine = { readonly indent: number } & (
  | { readonly kind: 'version' }
  | { readonly kind: 'plan'; readonly count: number; readonly skip?: string }
  | TapResult
  | { readonly kind: 'subtest'; readonly name: string }
  | { readonly kind: 'bail out'; readonly reason: string }
  | { readonly kind: 'comment'; readonly text: string }
  | { readonly kind: 'close' }
  /** The beginning and the end of a block of YAML. */
  | { readonly kind: 'yaml begins' | 'yaml ends' }
  | { readonly kind: 'other'; readonly text: string }
);

export interface TapResult {
  readonly kind: 'result';
  readonly ok: boolean;
  readonly number?: number;
  readonly name: string;
  readonly durationMs?: number;
  readonly directive?: { readonly word: string; readonly reason: string };
  /** kselftest's suffix for the end of a program: `exit=1`. */
  readonly ended?: string;
  /** `{` at the end: its subtests follow, and not precede. */
  readonly opens: boolean;
}

/** The kernel's prefix of messages: `<6>[    1.234567] `, or `[    1.234567][    T1] `. */
const PRINTK = /^(?:<\d+>)?\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? ?/;

const RESULT = /^(not )?ok\b(?:[ \t]+(\d{1,9})\b)?(?:[ \t]+-(?=[ \t]|$))?[ \t]*(.*)$/;
// Of the kernel: `ok 1 # SKIP`, `ok 1 name # SKIP why`, and XFAIL, TIMEOUT, ERROR. A `#` behind a backslash is a character.
const DIRECTIVE =
  /^((?:[^#\\]|\\.|#(?![ \t]*(?:skip|todo|xfail|timeout|error)))*)#[ \t]*(skip|todo|xfail|timeout|error)[^\s:]*:?[ \t]*(.*)$/i;

// The duration that `bats --timing` and node-tap append to a name; with it no name would be stable.
const TIMING = /^(.*) (?:in |# time=)(\d{1,9}(?:\.\d{1,9})?)(ms|s|sec)$/;
// kselftest's runner appends this; with it a failed test would have another name than a passed one.
const ENDED = /^(.*) # (exit=\d{1,3})$/;
/** kselftest's runner prefixes each line of a program with this, and the program's own runner once more. */
const WITHIN = /^((?:# )+)(?=(?:K?TAP version \d+|1\.\.\d+|(?:not )?ok \d+)\b)/;

export function tapLine(raw: string, { kernel }: { readonly kernel: boolean }): TapLine {
  const text = kernel ? raw.replace(PRINTK, '') : raw;
  const within = kernel ? (WITHIN.exec(text)?.[1] ?? '') : '';
  // Two characters each, as the two blanks that KTAP indents by.
  const inner = ' '.repeat(within.length) + text.slice(within.length);
  const indent = inner.length - inner.trimStart().length;
  return { indent, ...contentOf(inner.trim(), kernel) };
}

type Content = TapLine extends infer L ? (L extends TapLine ? Omit<L, 'indent'> : never) : never;

function contentOf(line: string, kernel: boolean): Content {
  if (line === '---') return { kind: 'yaml begins' };
  if (line === '...') return { kind: 'yaml ends' };
  if (line === '}') return { kind: 'close' };
  if (/^K?TAP version \d+$/i.test(line)) return { kind: 'version' };
  const plan = /^1\.\.(\d{1,9})(?:[ \t]*#[ \t]*(.*))?$/.exec(line);
  if (plan) return planOf(Number(plan[1]), plan[2]);
  const bail = /^Bail out!(.*)$/i.exec(line);
  if (bail) return { kind: 'bail out', reason: bail[1]!.trim() };
  const subtest = /^# Subtest(?::[ \t]*(.*))?$/i.exec(line);
  if (subtest) return { kind: 'subtest', name: subtest[1] ?? '' };
  if (line.startsWith('#')) return { kind: 'comment', text: line.replace(kernel ? /^(?:# ?)+/ : /^# ?/, '') };
  const result = RESULT.exec(line);
  return result ? resultOf(result) : { kind: 'other', text: line };
}

function planOf(count: number, comment: string | undefined): Content {
  const skip = /^skip\S*[ \t]*(.*)$/i.exec(comment ?? '');
  return { kind: 'plan', count, ...(skip || count === 0 ? { skip: skip?.[1] ?? comment ?? '' } : {}) };
}

function resultOf([, not, number, rest]: RegExpExecArray): TapResult {
  const opens = / \{$/.test(rest!);
  const words = opens ? rest!.slice(0, -2) : rest!;
  const directive = words.length < 10_000 ? DIRECTIVE.exec(words) : null;
  const text = directive ? directive[1]!.trimEnd() : words;
  const [, untimed, duration, unit] = (text.length < 10_000 && TIMING.exec(text)) || [];
  const [, name, ended] = ENDED.exec(untimed ?? text) ?? [undefined, untimed];
  return {
    kind: 'result',
    ok: not === undefined,
    ...(number === undefined ? {} : { number: Number(number) }),
    name: unescaped(name ?? (directive ? directive[1]! : words)),
    ...(ended === undefined ? {} : { ended }),
    ...(duration === undefined ? {} : { durationMs: Number(duration) * (unit === 'ms' ? 1 : 1000) }),
    ...(directive ? { directive: { word: directive[2]!.toUpperCase(), reason: directive[3]!.trim() } } : {}),
    opens,
  };
}

/** TAP 14: `\#` is a number sign, and `\\` a backslash. */
function unescaped(name: string): string {
  return name.replace(/\\([\\#])/g, '$1').trim();
}
