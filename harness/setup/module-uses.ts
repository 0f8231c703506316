import { parseAst } from 'vitest/node';

/** A part of a module that the import table may forbid. */
export type Use =
  | { readonly kind: 'import'; readonly specifier: string; readonly typesOnly: boolean; readonly line: number }
  /** `process.stdout`, `process.stderr` or `console`. */
  | { readonly kind: 'prints'; readonly what: string; readonly line: number };

/** The parts of a syntax tree's node that are used here. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

/**
 * Every import and every use of the terminal in a module's source, in order. This needs a parser, because an import in
 * a comment or in a template string is not an import.
 */
export function usesOf(source: string): Use[] {
  const uses: Use[] = [];
  const lineOf = (node: Node): number => source.slice(0, node.start).split('\n').length;
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    if (!isNode(value)) return;
    const specifier = isNode(value['source']) ? value['source']['value'] : undefined;
    if (typeof specifier === 'string') {
      uses.push({ kind: 'import', specifier, typesOnly: isTypesOnly(value), line: lineOf(value['source'] as Node) });
    }
    const what = terminal(value);
    if (what !== undefined) uses.push({ kind: 'prints', what, line: lineOf(value) });
    Object.values(value).forEach(visit);
  };
  visit(parseAst(source, { lang: 'ts', sourceType: 'module' }));
  return uses;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

/** `import type`, `import { type A }`, `export type`, and the type `import('…').A`. */
function isTypesOnly(node: Node): boolean {
  if (node.type === 'TSImportType' || node['importKind'] === 'type' || node['exportKind'] === 'type') return true;
  const specifiers = node['specifiers'];
  if (!Array.isArray(specifiers) || specifiers.length === 0) return false;
  return specifiers.every((one: Node) => one['importKind'] === 'type' || one['exportKind'] === 'type');
}

function terminal(node: Node): string | undefined {
  if (node.type !== 'MemberExpression' || !isNode(node['object']) || !isNode(node['property'])) return undefined;
  const [object, property] = [node['object']['name'], node['property']['name']];
  if (object === 'console') return `console.${property}`;
  return object === 'process' && (property === 'stdout' || property === 'stderr') ? `process.${property}` : undefined;
}
