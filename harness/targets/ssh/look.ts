import { execa } from 'execa';
import { type ArchName, findArch } from '../../arch/index.ts';
import { InfraError } from '../../base/errors.ts';
import { dieWithParent } from '../../base/process.ts';
import { lastLines, printable, shellQuote } from '../../base/text.ts';
import type { Accelerator } from '../../events/types.ts';
import { connectionError } from './failure.ts';
import { connectionOptions, type KnownMachine } from './machines.ts';

/** Facts that a machine reports about itself. */
export interface MachineFacts {
  readonly arch: ArchName;
  readonly accelerator: Accelerator;
  readonly kernel: string;
  readonly cpu: string;
  readonly vcpus: number;
  readonly memoryBytes: number;
  /** Prefix that runs a command as root; undefined: impossible. */
  readonly asRoot?: readonly string[];
  readonly systemd: boolean;
  readonly docker: boolean;
  /** The requested modules that it has. */
  readonly modules: readonly string[];
  /** The folder in which the harness records changes. */
  readonly stateFolder: string;
}

/** Prints a line `key value` for each thing; arguments are names of kernel modules. */
const LOOK = `
echo "machine $(uname -m)"
echo "kernel $(uname -r)"
echo "vcpus $(nproc)"
sed -n 's/^MemTotal: *\\([0-9]*\\) kB$/memory \\1/p' /proc/meminfo
sed -n 's/^\\(model name\\|cpu\\)[[:space:]]*: *\\(.*\\)$/cpu \\2/p' /proc/cpuinfo | head -n 1
if [ "$(id -u)" = 0 ]; then echo root direct; elif sudo -n true 2>/dev/null; then echo root sudo; fi
[ -d /run/systemd/system ] && echo systemd yes
echo "virt $(systemd-detect-virt --vm 2>/dev/null || echo none)"
{ docker version || sudo -n docker version; } >/dev/null 2>&1 && echo docker yes
echo "home $HOME"
for module in "$@"; do
  for tool in modprobe /sbin/modprobe; do
    if [ -d "/sys/module/$module" ] || "$tool" -n -q "$module" 2>/dev/null; then echo "module $module"; break; fi
  done
done
`;

/** Milliseconds within which a machine must answer: an emulated one takes seconds for the key exchange. */
const LOOK_MS = 30_000;

/**
 * Connects to a machine and reads its facts.
 * @param modules kernel modules to look for.
 * @throws InfraError if it cannot be used: it is unreachable, or does not match the inventory.
 */
export async function lookAt(machine: KnownMachine, modules: readonly string[]): Promise<MachineFacts> {
  const way = [...connectionOptions(machine), machine.destination];
  const [program, ...args] = dieWithParent([
    ...['ssh', '-S', 'none', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=10', '-o', 'LogLevel=ERROR', ...way],
    ...['--', ['sh', '-c', LOOK, 'look', ...modules].map(shellQuote).join(' ')],
  ]);
  const result = await execa(program!, args, { reject: false, stdin: 'ignore', timeout: LOOK_MS });
  if (result.timedOut) throw connectionError(machine.name, `no answer within ${LOOK_MS / 1000} s`, way);
  if (result.exitCode === 255) throw connectionError(machine.name, String(result.stderr), way);
  const facts = factsFrom(String(result.stdout), machine.name);
  if (machine.arch !== undefined && machine.arch !== facts.arch)
    throw new InfraError(`cannot use ${machine.name}: ${machine.where} says ${machine.arch}, and it is ${facts.arch}`, {
      hint: 'Correct `arch:` there, or leave it out: it is read from the machine.',
    });
  return facts;
}

/** Facts from the output of `LOOK`, which is untrusted and shown to people. */
export function factsFrom(printed: string, name: string): MachineFacts {
  const lines = printed.split('\n').map((line): [string, string] => {
    const space = line.indexOf(' ');
    return [line.slice(0, space), printable(line.slice(space + 1)).trim()];
  });
  const one = (key: string) => lines.find(([found]) => found === key)?.[1];
  const machine = one('machine') ?? '';
  const arch = findArch(machine);
  const first = lines.findIndex(([key]) => key === 'machine');
  const greeting = printed.split('\n').slice(0, first === -1 ? undefined : first);
  const said = lastLines(greeting.join('\n'), 3).join(' / ').trim();
  if (!arch) {
    const instead = machine === '' ? 'it did not say what it is' : `its architecture is ${machine}`;
    throw new InfraError(
      `cannot use ${name}: ${instead}${machine === '' && said !== '' ? `, and printed ${quoted(said)}` : ''}`,
      {
        hint: 'Its login shell has to be POSIX, and to print nothing itself.',
      },
    );
  }
  // Such output would precede that of every command, so no answer could be trusted.
  if (said !== '')
    throw new InfraError(
      `cannot use ${name}: its shell prints something before the command's output: ${quoted(said)}`,
      {
        hint: 'Let its profile print only in interactive shells: `case $- in *i*) …;; esac`.',
      },
    );
  const root = one('root');
  const virt = one('virt') ?? 'none';
  return {
    arch: arch.name,
    // The machine is itself a guest: its timings are those of its host or an emulator.
    accelerator: virt === 'none' ? 'native' : virt === 'qemu' ? 'tcg' : 'kvm',
    kernel: one('kernel') ?? 'unknown',
    cpu: one('cpu') ?? 'unknown',
    vcpus: Number(one('vcpus')) || 1,
    memoryBytes: (Number(one('memory')) || 0) * 1024,
    ...(root === 'direct' ? { asRoot: [] } : root === 'sudo' ? { asRoot: ['sudo', '-n', '--'] } : {}),
    systemd: one('systemd') === 'yes',
    docker: one('docker') === 'yes',
    modules: lines.filter(([key]) => key === 'module').map(([, value]) => value),
    stateFolder: root === undefined ? `${one('home') || '/tmp'}/.multiarch-harness` : '/var/lib/multiarch-harness',
  };
}

function quoted(text: string): string {
  return `"${text.length > 200 ? `${text.slice(0, 200)}…` : text}"`;
}
