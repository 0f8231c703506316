import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { parseAst } from 'vitest/node';
import { propertyOf, readThrown } from '../base/thrown.ts';
import type { Suite } from '../config/suite.ts';
import type { ErrorData } from '../events/types.ts';
import { fileInSuite } from './context.ts';
import { errorData } from './thrown.ts';

/**
 * Why a file of a suite could not be run. Of one that could not be translated, vite's error has its name as data and the place
 * only in coloured prose, beside a stack of vite's own: so the file is parsed again for what is wrong in it.
 */
export function fileError(thrown: unknown, suite: Pick<Suite, 'folder'>): ErrorData {
  const error = errorData(thrown, suite);
  const id = propertyOf(propertyOf(thrown, '__vitest_rollup_error__'), 'id');
  if (typeof id !== 'string') return error;
  const path = id.replace(/\?.*$/, '');
  const wrong = syntaxErrorIn(path);
  const { stack: _stack, ...said } = error;
  return wrong ? { ...said, ...wrong, type: 'SyntaxError', file: fileInSuite(suite, path) } : said;
}

function syntaxErrorIn(path: string): Pick<ErrorData, 'message' | 'line' | 'column'> | undefined {
  try {
    parseAst(readFileSync(path, 'utf8'), { lang: extname(path).endsWith('x') ? 'tsx' : 'ts' }, path);
    return undefined;
  } catch (thrown) {
    const loc = propertyOf(thrown, 'loc');
    const [line, column] = [propertyOf(loc, 'line'), propertyOf(loc, 'column')];
    if (typeof line !== 'number' || typeof column !== 'number') return undefined;
    // The first line only counts errors.
    const [, ...said] = readThrown(thrown).message.split('\n');
    return { message: said.join('\n'), line, column: column + 1 };
  }
}
