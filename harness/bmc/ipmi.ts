import { InfraError, messageOf } from '../base/errors.ts';
import { run } from '../base/process.ts';
import { lastLines } from '../base/text.ts';
import type { Bmc, PowerState } from './bmc.ts';
import { passwordIn } from './password.ts';
import type { IpmiPower } from './spec.ts';

/** Milliseconds for one question; ipmitool asks four times in them. */
const ASK_MS = 30_000;

/** A controller that speaks IPMI, by ipmitool: its protocol has more dialects than one would write again. */
export function ipmi({ ipmi: host, port, cipher, user, passwordFile }: IpmiPower): Bmc {
  const name = `ipmi ${host}${port === undefined ? '' : `:${port}`}`;
  const ask = async (...command: string[]): Promise<string> => {
    // ipmitool asks at the terminal where a file is empty.
    await passwordIn(passwordFile);
    const argv = [
      ...['ipmitool', '-I', 'lanplus', '-H', host, '-U', user, '-f', passwordFile],
      ...(port === undefined ? [] : ['-p', String(port)]),
      ...(cipher === undefined ? [] : ['-C', String(cipher)]),
      ...['chassis', 'power', ...command],
    ];
    const { stdout } = await run(argv, { purpose: `ask the BMC ${name}`, timeout: ASK_MS }).catch((cause: unknown) => {
      if (!/ipmitool.*No such file/.test(messageOf(cause))) throw cause;
      throw new InfraError(`cannot ask the BMC ${name}: ipmitool is not installed`, {
        cause,
        hint: 'Install it: apt-get install ipmitool',
      });
    });
    return String(stdout);
  };
  return {
    name,
    async state() {
      const said = await ask('status');
      const [, state] = /Chassis Power is (on|off)/i.exec(said) ?? [];
      if (state === undefined)
        throw new InfraError(`cannot tell the power of ${name}: it says ${lastLines(said, 1)[0] ?? 'nothing'}`);
      return state.toLowerCase() as PowerState;
    },
    async request(state) {
      await ask(state);
    },
  };
}
