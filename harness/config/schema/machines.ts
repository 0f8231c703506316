import { isIPv6 } from 'node:net';
import { z } from 'zod';
import { archField, nameField, portField } from '../../yaml/fields.ts';
import { enginesField } from './engines.ts';

/** argv of a command on the controller; a string goes through `sh`. */
const command = z
  .union([z.string().min(1), z.array(z.string()).min(1)])
  .transform((value) => (typeof value === 'string' ? ['sh', '-c', value] : value));

const HOST = 'expected a host: a name, an address, or a Host of ssh_config';

/**
 * A name or an address, free of anything that ssh could take for an option or a shell for syntax. An IPv6
 * address may stand in brackets, and may have a zone.
 */
const host = z
  .string()
  .regex(/^[A-Za-z0-9_:[][A-Za-z0-9_.:%\]-]{0,252}$/, HOST)
  .transform((written, context) => {
    const bare = /^\[(.*)\]$/.exec(written)?.[1] ?? written;
    if (isIPv6(bare.replace(/%[A-Za-z0-9_.-]+$/, ''))) return bare;
    const port = /^([^:]+|\[.*\]):(\d+)$/.exec(written);
    if (port)
      context.addIssue({ code: 'custom', message: `${HOST}; give its port beside it, as \`port: ${port[2]}\`` });
    else if (!/^[A-Za-z0-9_.-]+$/.test(written)) context.addIssue({ code: 'custom', message: HOST });
    return written;
  });

const login = {
  user: z.string().min(1).max(64).describe('A user of the BMC.'),
  'password-file': z
    .string()
    .min(1)
    .describe('A file whose first line is the password, relative to this file; it never stands in this one.'),
};

/** An address of a BMC: without a path, and encrypted but for one on this machine. */
const bmcUrl = z.string().refine(
  (written) => {
    const url = URL.parse(written);
    if (url?.username !== '' || url.password !== '' || !/^\/?$/.test(url.pathname) || url.search !== '') return false;
    return url.protocol === 'https:' || (url.protocol === 'http:' && /^(127\.|localhost$|\[::1\])/.test(url.hostname));
  },
  { message: 'expected an address like https://p9-bmc, without user, password or path' },
);

/** Commands, or a controller that answers on the network. */
const power = z
  .union([
    z.strictObject({ off: command, on: command }),
    z
      .strictObject({
        redfish: bmcUrl.describe('Where its BMC speaks Redfish: https://HOST.'),
        system: z.string().min(1).max(200).optional().describe('The Id of the system, where the BMC has several.'),
        ...login,
        ca: z
          .string()
          .min(1)
          .optional()
          .describe("A file with certificates that the BMC's is checked against, relative to this file."),
        fingerprint: z
          .string()
          .regex(/^([0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}$/, 'expected the SHA-256 of a certificate: 32 bytes as AB:CD:…')
          .optional()
          .describe("SHA-256 of the BMC's certificate, for one that nobody has signed."),
      })
      .refine(({ ca, fingerprint }) => ca === undefined || fingerprint === undefined, {
        message: 'ca and fingerprint exclude one another',
      }),
    z.strictObject({
      ipmi: host.describe('Where its BMC speaks IPMI 2.0.'),
      port: portField.optional(),
      ...login,
      cipher: z.int().min(0).max(255).optional().describe('The cipher suite; default: the best that ipmitool finds.'),
    }),
  ])
  .describe('What switches its power: commands on the controller, or its BMC by Redfish or IPMI.');

/** `machines.yaml`: machines that exist, commands that make them, and engines that run cells elsewhere. */
export const machinesSchema = z
  .strictObject({
    'ssh-config': z
      .string()
      .min(1)
      .optional()
      .describe("An ssh configuration in place of the user's own; relative to this file."),
    machines: z
      .record(
        nameField,
        z.strictObject({
          address: host,
          port: portField.optional(),
          user: z
            .string()
            .regex(/^[a-z_][a-z0-9_.-]{0,31}$/i, 'expected the name of a user')
            .optional(),
          arch: archField.optional().describe("Checked against the machine's own answer. Default: that answer."),
          tags: z.array(nameField).default([]).describe('For suites to ask for: `needs: [{ tags: [gpu] }]`.'),
          key: z
            .string()
            .min(1)
            .optional()
            .describe("A file with a private key, relative to this file. Default: the keys of the user's ssh."),
          cells: z.int().min(1).max(64).default(1).describe('How many cells may use it at once.'),
          power: power.optional(),
        }),
      )
      .default({})
      .describe('Machines for targets of kind ssh, the preferred one first.'),
    commands: z
      .record(
        nameField,
        z.strictObject({
          arch: z.array(archField).min(1).describe('The architectures of the machines that it can make.'),
          acquire: command.describe(
            'Makes a machine of $HARNESS_ARCH and prints its address as the last line: ssh://user@host:port.',
          ),
          reconnect: command
            .optional()
            .describe(
              'Exits with 0 while the machine of $HARNESS_ADDRESS is there, and prints its address if that has changed.',
            ),
          release: command.describe('Returns the machine of $HARNESS_ADDRESS; may be run more than once.'),
          tags: z.array(nameField).default([]),
          key: z.string().min(1).optional(),
        }),
      )
      .default({})
      .describe('Targets of kind command: for clouds and boards that the harness does not support itself.'),
    engines: enginesField,
  })
  .meta({ id: 'machines', title: 'harness machines' });

export type MachinesConfig = z.output<typeof machinesSchema>;
