import { readdirSync, readFileSync } from 'node:fs';

/** A process of a tree, as `/proc` shows it at one moment. */
export interface TreeProcess {
  readonly pid: number;
  readonly parent: number;
  /** Bytes of memory that only the process's end frees: without files and shared memory. */
  readonly bytes: number;
}

/** Bytes of a page of this host; x86 has 4 KiB, arm64 and ppc64le may have 64. */
const PAGE_SIZES: readonly number[] = [4096, 16_384, 65_536];

/** A process and everything that descends from it, itself first; empty when it is gone. */
export function processTree(root: number): TreeProcess[] {
  return treeWatcher(root)();
}

/** After this many samples a watcher reads every process again: ids are reused, though hardly within a second. */
const FULL_LOOK = 10;

/**
 * Samples a tree repeatedly: each call is `processTree` at that moment. Processes outside the tree are not read a
 * second time, because none moves into it.
 */
export function treeWatcher(root: number): () => TreeProcess[] {
  let strangers = new Set<string>();
  let looks = 0;
  return () => {
    looks += 1;
    if (looks % FULL_LOOK === 0) strangers = new Set();
    const children = new Map<number, TreeProcess[]>();
    const names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    let first: TreeProcess | undefined;
    for (const name of names) {
      const found = strangers.has(name) ? undefined : processOf(Number(name));
      if (!found) continue;
      if (found.pid === root) first = found;
      const siblings = children.get(found.parent);
      if (siblings) siblings.push(found);
      else children.set(found.parent, [found]);
    }
    const tree = first ? [first] : [];
    for (const process of tree) tree.push(...(children.get(process.pid) ?? []));
    const ours = new Set(tree.map(({ pid }) => String(pid)));
    strangers = new Set(names.filter((name) => !ours.has(name)));
    return tree;
  };
}

/** argv of a process as it shows it itself; empty when it is gone. */
export function commandOf(pid: number): string[] {
  return (read(`/proc/${pid}/cmdline`) ?? '').split('\0').filter(Boolean);
}

/**
 * Bytes of a process's memory, with shared memory divided among its sharers where we may read that; 0 if it is gone.
 * Much more expensive than `TreeProcess.bytes`, which counts a page once for each process that has inherited it.
 */
export function exactBytes(pid: number): number {
  const anonymous = /^Pss_Anon:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? '');
  return anonymous ? Number(anonymous[1]) * 1024 : (processOf(pid)?.bytes ?? 0);
}

function processOf(pid: number): TreeProcess | undefined {
  const stat = read(`/proc/${pid}/stat`);
  const pages = read(`/proc/${pid}/statm`)?.split(' ').map(Number);
  if (stat === undefined || pages === undefined) return undefined;
  // The command's name stands in parentheses and may hold anything, so count from the last one.
  const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [, resident = 0, shared = 0] = pages;
  return { pid, parent: Number(parent), bytes: (resident - shared) * pageBytes() };
}

let page: number | undefined;
/** Our own resident memory, once in pages and once in KiB. */
function pageBytes(): number {
  if (page !== undefined) return page;
  const kib = Number(/^VmRSS:\s+(\d+) kB/m.exec(read('/proc/self/status') ?? '')?.[1] ?? 0);
  const pages = Number(read('/proc/self/statm')?.split(' ')[1] ?? 1);
  const measured = (kib * 1024) / pages;
  page = PAGE_SIZES.reduce((a, b) => (Math.abs(b - measured) < Math.abs(a - measured) ? b : a));
  return page;
}

/** A file of `/proc`; undefined if its process is gone or we may not read it. */
function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
