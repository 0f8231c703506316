import { styleText } from 'node:util';

export type Style = 'green' | 'red' | 'yellow' | 'dim' | 'bold';

/** Puts a style around a text, or leaves it alone. */
export type Paint = (style: Style, text: string) => string;

/**
 * Whether to colour: `NO_COLOR` (any value but the empty one) forbids, `FORCE_COLOR` asks, a terminal is the default.
 * @param color the value of `--color`, which overrides all of these.
 */
export function paintFor(env: Record<string, string | undefined>, isTty: boolean, color?: boolean): Paint {
  const forced = env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0';
  const usual = !env['NO_COLOR'] && env['FORCE_COLOR'] !== '0' && (forced || (isTty && env['TERM'] !== 'dumb'));
  const colour = color ?? usual;
  // The decision is made here, from the parameters; styleText would look at the process instead.
  return (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text);
}
