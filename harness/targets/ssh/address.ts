import { ConfigError } from '../../base/errors.ts';
import { printable } from '../../base/text.ts';

/** A machine's address as users write it. */
export interface MachineAddress {
  readonly user?: string;
  readonly host: string;
  readonly port?: number;
}

/** `ssh://user@host:port`, `ssh://host`. @throws ConfigError for anything else. */
export function parseAddress(text: string): MachineAddress {
  const parts =
    /^ssh:\/\/(?:([a-z_][a-z0-9_.-]{0,31})@)?([A-Za-z0-9_][A-Za-z0-9_.-]{0,252}|\[[0-9a-fA-F:.%a-z]+\])(?::(\d{1,5}))?\/?$/i.exec(
      text,
    );
  const port = parts?.[3] === undefined ? undefined : Number(parts[3]);
  if (!parts || (port !== undefined && (port < 1 || port > 65535)))
    throw new ConfigError(
      `cannot read the address ${JSON.stringify(printable(text).slice(0, 80))}: expected ssh://user@host:port`,
    );
  const [, user, host] = parts;
  return {
    ...(user === undefined ? {} : { user }),
    host: host!.replace(/^\[|\]$/g, ''),
    ...(port === undefined ? {} : { port }),
  };
}
