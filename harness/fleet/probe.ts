import { randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeFolder } from '../base/files.ts';
import { shellQuote } from '../base/text.ts';
import type { EngineConfig } from '../config/schema/engines.ts';
import type { Engine } from '../engines/engine.ts';

/** What a node of an engine was found to be. */
export interface ProbedNode {
  /** The architecture whose cells would go there; `any` where the engine names none. */
  readonly arch: string;
  readonly constraint: string;
  /** What its job said, by name; undefined: it did not run, and `why` says why. */
  readonly facts?: Readonly<Record<string, string>>;
  readonly why?: string;
}

/** Milliseconds between two looks. */
const LOOK_MS = 500;

/** What a node says of itself: a line for each fact, and `end` last. What is missing has no value. */
function probeScript(program: readonly string[]): string {
  return `
say() { echo "$1=$2"; }
say node "\${HARNESS_NODE:-$(uname -n)}"
say arch "$(uname -m)"
say harness "$(${program.map(shellQuote).join(' ')} version 2>/dev/null)"
say qemu "$(for one in x86_64 aarch64 ppc64; do command -v qemu-system-$one >/dev/null && printf '%s ' $one; done)"
say kvm "$([ -w /dev/kvm ] && echo yes)"
say cache "$(d=\${HARNESS_CACHE:-\${XDG_CACHE_HOME:-$HOME/.cache}/multiarch-harness}; mkdir -p "$d" && [ -w "$d" ] && df -Pk "$d" | awk 'NR == 2 { print $4 }')"
say end yes
`;
}

/**
 * Asks a node of each architecture what it has, by one job each.
 * @param program the words that call the harness there.
 * @param deadlineMs how long to wait for jobs that are queued.
 */
export async function probeNodes(
  config: EngineConfig,
  engine: Engine,
  program: readonly string[],
  deadlineMs: number,
): Promise<ProbedNode[]> {
  const token = `harness-doctor-${randomBytes(4).toString('hex')}`;
  const place = join(config.shared, 'probes', token);
  const asked = Object.entries(config.arch);
  const wanted = asked.length > 0 ? asked : ([['any', '']] as const);
  try {
    return await Promise.all(
      wanted.map(async ([arch, constraint], index) => {
        const own = `${token}-${index}`;
        const folder = join(place, String(index));
        makeFolder(folder);
        const said = join(folder, 'said');
        // A row of an engine that moves files has a folder of its own there.
        const there = engine.moves ? 'answer' : folder;
        const script = `mkdir -p ${shellQuote(there)}\nexec >${shellQuote(join(there, 'said'))} 2>/dev/null\n`;
        const row = ['sh', '-c', `${script}${probeScript(program)}`];
        const moved = { inputs: [], outputs: [{ from: there, to: folder }], printed: 'printed' };
        const ask = { constraint, cpus: 1, memoryMiB: 500, exclusive: false, minutes: 10 };
        await engine.submit({ token: own, ask, rows: [row], folder, ...(engine.moves ? { moved } : {}) });
        const found = await answerOf(engine, own, said, deadlineMs);
        await engine.cancel(own);
        return { arch, constraint, ...found };
      }),
    );
  } finally {
    await rm(place, { recursive: true, force: true }).catch(() => {});
  }
}

async function answerOf(
  engine: Engine,
  token: string,
  file: string,
  deadlineMs: number,
): Promise<Pick<ProbedNode, 'facts' | 'why'>> {
  const end = performance.now() + deadlineMs;
  for (let missing = 0; ; ) {
    const row = (await engine.alive([token])).get(token)?.get(0);
    const facts = factsIn(await readFile(file, 'utf8').catch(() => ''));
    if (facts['end'] === 'yes') return { facts };
    if (row?.state === 'stuck') return { why: `its job would wait for ever: ${row.why}` };
    missing = row === undefined ? missing + 1 : 0;
    // Files may be seen later than the end of a job.
    if (missing > 10)
      return { why: `its job ended and wrote nothing: does the node have ${file}, and may it write there?` };
    if (performance.now() > end) return { why: `its job has been ${row?.state ?? 'away'} for ${deadlineMs / 1000} s` };
    await delay(LOOK_MS);
  }
}

function factsIn(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const cut = line.indexOf('=');
      return cut < 0 ? [] : [[line.slice(0, cut), line.slice(cut + 1).trim()]];
    }),
  );
}
