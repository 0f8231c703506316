import { readFile, stat } from 'node:fs/promises';
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
} from 'yaml';
import { ConfigError } from '../base/errors.ts';
import { placeBelow } from '../base/files.ts';
import { inert } from '../base/quote.ts';

/** Configuration is written by hand; a larger file is something else. */
const MAX_BYTES = 1024 * 1024;
/** Aliases can make a small file huge ("billion laughs"). */
const MAX_ALIASES = 50;

/** A problem, and its place in the file's value. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  /** Points at the last key of the path instead of at its value. */
  readonly atKey?: boolean;
  readonly text: string;
}

/** A parsed YAML file, with the positions of its values. */
export interface YamlSource {
  readonly value: unknown;
  /** The file as messages name it. */
  readonly name: string;
  /** `file:line:column` of a key. */
  place(path: readonly PropertyKey[]): string;
  /** One error for all problems, in the order of the file, one per line: `file:line:column: text`. */
  error(problems: readonly Problem[]): ConfigError;
}

/** A file's path in messages: relative if it is below the current folder. */
export function shownPath(file: string, cwd: string): string {
  return inert(placeBelow(cwd, file) || file);
}

/**
 * Reads and parses a YAML file.
 * @throws ConfigError with every syntax error of the file, each with its line and column.
 */
export async function openYaml(file: string, cwd: string): Promise<YamlSource> {
  const shown = shownPath(file, cwd);
  const text = await readText(file, shown);
  const lines = new LineCounter();
  const at = (offset: number, what: string) => ({ ...lines.linePos(offset), text: what });
  let document: Document.Parsed;
  let value: unknown;
  try {
    document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false, merge: false });
    const broken = [...document.errors, ...document.warnings];
    if (broken.length > 0) {
      throw fail(
        shown,
        broken.map((error) => at(error.pos[0], `not valid YAML: ${syntaxText(error)}`)),
      );
    }
    const odd = collectionKeys(document);
    if (odd.length > 0)
      throw fail(
        shown,
        odd.map((offset) => at(offset, ODD_KEY)),
      );
    value = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    // The parser recurses: deep nesting overflows the stack, too many aliases throw a ReferenceError.
    const why = error instanceof RangeError ? 'nested too deeply' : inert(String((error as Error).message));
    throw new ConfigError(`${shown}:1:1: not valid YAML: ${why}`, { cause: error });
  }
  return {
    value,
    name: shown,
    place: (path) => {
      const { line, col } = lines.linePos(offsetOf(document, path, true));
      return `${shown}:${line}:${col}`;
    },
    error: (problems) =>
      fail(
        shown,
        problems.map((problem) => at(offsetOf(document, problem.path, problem.atKey ?? false), problem.text)),
      ),
  };
}

/** What is said of `arch: {{ arch }}`, which to YAML is a map whose key is a map. */
const ODD_KEY =
  'a key is a map or a list, expected a word: `{{ … }}` is not filled in here, write the value or quote it';

/** Offsets of keys that are no scalars. */
function collectionKeys(document: Document.Parsed): number[] {
  const found: number[] = [];
  visit(document, {
    Pair(_, { key }) {
      if (isMap(key) || isSeq(key)) found.push((key as Node).range?.[0] ?? 0);
    },
  });
  return found;
}

async function readText(file: string, shown: string): Promise<string> {
  try {
    const info = await stat(file);
    if (!info.isFile()) throw new ConfigError(`cannot read ${shown}: it is not a file`);
    if (info.size > MAX_BYTES) throw new ConfigError(`cannot read ${shown}: it is larger than 1 MiB`);
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    const why =
      code === 'ENOENT'
        ? 'there is no such file'
        : code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
          ? 'it is not UTF-8 text'
          : (error as Error).message;
    throw new ConfigError(`cannot read ${shown}: ${why}`, { cause: error });
  }
}

function syntaxText({ code, message }: { code: string; message: string }): string {
  if (code === 'MULTIPLE_DOCS') return 'a second document starts here, expected one';
  if (code === 'DUPLICATE_KEY') return 'this key stands here for the second time';
  return message.startsWith('Maximum call stack') ? 'nested too deeply' : inert(message);
}

interface Placed {
  readonly line: number;
  readonly col: number;
  readonly text: string;
}

function fail(shown: string, problems: readonly Placed[]): ConfigError {
  const ordered = problems.toSorted((a, b) => a.line - b.line || a.col - b.col);
  // An empty file has no line to count: LineCounter then answers 0:0.
  const text = ordered.map(({ line, col, text }) => `${shown}:${Math.max(line, 1)}:${Math.max(col, 1)}: ${text}`);
  return new ConfigError([...new Set(text)].join('\n'));
}

/** Where the value (or the last key) of a path starts; of the nearest thing around it that exists. */
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[], atKey: boolean): number {
  let node = resolved(document, document.contents);
  let offset = node?.range?.[0] ?? 0;
  for (const [index, part] of path.entries()) {
    if (isMap(node)) {
      const pair: Pair | undefined = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
      if (!pair) break;
      const key = pair.key as Node;
      if (atKey && index === path.length - 1) return key.range?.[0] ?? offset;
      offset = (pair.value as Node | null)?.range?.[0] ?? key.range?.[0] ?? offset;
      node = resolved(document, pair.value);
    } else if (isSeq(node)) {
      const item = node.items[Number(part)] as Node | undefined;
      if (!item) break;
      offset = item.range?.[0] ?? offset;
      node = resolved(document, item);
    } else break;
  }
  return offset;
}

function resolved(document: Document.Parsed, node: unknown): Node | undefined {
  return isAlias(node) ? node.resolve(document) : ((node as Node | null) ?? undefined);
}
