import { type BlankNode, type ClusterBmc, eventually, expect, type ScenarioTarget } from 'multiarch-harness';

/** What a machine said of itself when it enlisted; undefined where it has not. */
export async function enlisted(
  server: ScenarioTarget,
  { mac }: BlankNode,
): Promise<Record<string, string> | undefined> {
  const { exitCode, stdout } = await server.exec(['cat', `/var/lib/metal/${mac}`]);
  if (exitCode !== 0) return undefined;
  return Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split('=')),
  );
}

/** Native seconds from power-on until a machine has enlisted and is off again. */
const ENLIST_SECONDS = 30;

/** Switches a machine on by hand, and waits until it has enlisted and switched itself off. */
export async function enlist(server: ScenarioTarget, node: BlankNode): Promise<Record<string, string>> {
  await server.sh(`rm -f /var/lib/metal/${node.mac}`);
  await node.on();
  const said = await eventually(
    async () => {
      const found = await enlisted(server, node);
      expect(found, `${node.node} has not enlisted; its console: ${(await node.console(5)).join('\n')}`).toBeDefined();
      return found!;
    },
    { seconds: ENLIST_SECONDS },
  );
  await eventually(async () => expect(await node.power()).toBe('off'), { seconds: 5 });
  return said;
}

/** What a BMC answers to the boot server. */
export interface Answer {
  /** Of HTTP; 0 where there was no answer. */
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** Prints the status, then the body of the last answer: to a pipe curl writes those of all its tries. */
const ASK = 'rm -f /run/answer; curl -sS -o /run/answer -w "%{http_code}\\n" "$@"; cat /run/answer 2>/dev/null; true';

/** Asks the BMC of a machine as a person on the boot server would. @param options curl's. */
export async function redfish(
  server: ScenarioTarget,
  { url, user, password }: Pick<ClusterBmc, 'url' | 'user' | 'password'>,
  node: BlankNode,
  { path = '', options = [] }: { readonly path?: string; readonly options?: readonly string[] } = {},
): Promise<Answer> {
  const { stdout } = await server.exec([
    ...['sh', '-c', ASK, 'redfish', '-u', `${user}:${password}`, ...options],
    `${url}/redfish/v1/Systems/${node.node}${path}`,
  ]);
  const [status, ...lines] = stdout.split('\n');
  return { status: Number(status), body: JSON.parse(lines.join('\n') || '{}') };
}

/** Asks the BMC of a machine for a reset of some type. */
export function reset(
  server: ScenarioTarget,
  bmc: ClusterBmc,
  node: BlankNode,
  type: 'On' | 'ForceOff' | 'ForceRestart',
): Promise<Answer> {
  const options = ['-H', 'Content-Type: application/json', '-d', JSON.stringify({ ResetType: type })];
  return redfish(server, bmc, node, { path: '/Actions/ComputerSystem.Reset', options });
}
