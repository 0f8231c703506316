import { ConfigError } from '../base/errors.ts';
import { chooser } from '../events/chosen.ts';
import type { TestSelection } from '../events/test-selection.ts';

/** The options that choose tests. */
export interface TestOptions {
  readonly test?: string[];
  readonly file?: string[];
}

/**
 * The tests of every cell that a command line chooses; undefined: all.
 * @throws ConfigError for a pattern that can match nothing.
 */
export function chosenTests({ test, file }: TestOptions): TestSelection | undefined {
  if (test === undefined && file === undefined) return undefined;
  for (const [option, values] of [['test', test ?? []] as const, ['file', file ?? []] as const])
    if (values.includes(''))
      throw new ConfigError(`--${option} is empty, expected ${option === 'test' ? 'a part of a name' : 'a glob'}`);
  const selection = {
    ...(test === undefined ? {} : { names: test }),
    ...(file === undefined ? {} : { files: file }),
  };
  chooser(selection, '');
  return selection;
}
