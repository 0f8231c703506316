// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are source code
/** Work of a given size: twice the size is about twice the work. */
export interface Work {
  readonly size: number;
  /** For the controller: the body of a function of `n`. For a guest: a shell command. */
  readonly code: (size: number) => string;
}

type Works = Readonly<Record<string, Work>>;

/** Typical work for the controller's clock, in pieces of a few milliseconds, because each run measures all of them. */
export const ON_CONTROLLER: Works = {
  'integer arithmetic': js(400_000, 'let x = 0; for (let i = 0; i < n; i++) x = (x + i * i) % 7919; return x'),
  'floating point': js(480_000, 'let x = 0; for (let i = 0; i < n; i++) x += Math.sin(i) * Math.sqrt(i); return x'),
  'bit operations': js(6_000_000, 'let x = 0; for (let i = 0; i < n; i++) x ^= ((i << 3) & 255) | (i >> 2); return x'),
  'string concatenation': js(
    360_000,
    'let s = ""; for (let i = 0; i < n; i++) s += String.fromCharCode(65 + (i % 26)); return s.charCodeAt(n >> 1)',
  ),
  'string formatting': js(
    160_000,
    'let s = ""; for (let i = 0; i < n; i++) s = `${String(i).padStart(5, "0")} x`; return s',
  ),
  'split and join': js(
    16_000,
    'let s = ""; for (let i = 0; i < n; i++) s = `a b c d e f ${i}`.split(" ").join(","); return s',
  ),
  'regular expression': js(
    25_000,
    'let x = 0; for (let i = 0; i < n; i++) if (/^(\\w+)=(\\w*7)$/.test(`key${i}=value${i}`)) x++; return x',
  ),
  substitution: js(
    8000,
    'let s = ""; for (let i = 0; i < n; i++) s = `one two ${i}`.replace(/\\w+/g, "<$&>"); return s',
  ),
  'searching text': js(
    20_000,
    'let x = 0; for (let i = 0; i < n; i++) x += ("ab".repeat(50) + i + "needle").indexOf("needle"); return x',
  ),
  'map insertion': js(40_000, 'const m = new Map(); for (let i = 0; i < n; i++) m.set(`key${i}`, i); return m.size'),
  'map lookup': js(
    600_000,
    'const m = new Map(Array.from({ length: 500 }, (_, i) => [i, 1])); let x = 0; for (let i = 0; i < n; i++) x += m.get(i % 500); return x',
  ),
  'array as a queue': js(
    300_000,
    'const q = []; for (let i = 0; i < n; i++) { q.push(i); if (q.length > 20) q.shift(); } return q.length',
  ),
  'sorting numbers': js(
    30_000,
    'return Array.from({ length: n }, (_, i) => (i * 7919) % 10007).sort((a, b) => a - b)[0]',
  ),
  'sorting strings': js(18_000, 'return Array.from({ length: n }, (_, i) => `${(i * 7919) % 10007}k`).sort()[0]'),
  'map and filter': js(
    80_000,
    'return Array.from({ length: n }, (_, i) => i).map((i) => i * 3).filter((i) => i & 1).length',
  ),
  'calls of a closure': js(
    1_000_000,
    'let x = 0; const add = (i) => { x = (x + i) | 0; }; for (let i = 0; i < n; i++) add(i); return x',
  ),
  'calls of a method': js(
    1_000_000,
    'class C { v = 0; add(i) { this.v = (this.v ^ i) | 0; } } const c = new C(); for (let i = 0; i < n; i++) c.add(i); return c.v',
  ),
  'a sieve of primes': js(
    900_000,
    'const c = new Uint8Array(n + 1); let x = 0; for (let i = 2; i <= n; i++) { if (c[i]) continue; x++; for (let j = i * 2; j <= n; j += i) c[j] = 1; } return x',
  ),
  'packing bytes': js(
    3_000_000,
    'const v = new DataView(new ArrayBuffer(8)); let x = 0; for (let i = 0; i < n; i++) { v.setUint32(0, i); x ^= v.getUint16(2); } return x',
  ),
  'writing JSON': js(
    20_000,
    'return JSON.stringify(Array.from({ length: n }, (_, i) => ({ id: i, name: `n${i}`, tags: ["a", "b"] }))).length',
  ),
  'reading JSON': js(
    10_500,
    'return JSON.parse(`[${Array.from({ length: n }, (_, i) => `{"id":${i},"name":"n","tags":["a","b"]}`).join(",")}]`).length',
  ),
  'large integers': js(
    50_000,
    'let x = 1n; for (let i = 0; i < n; i++) x = (x * 31n + BigInt(i)) & ((1n << 512n) - 1n); return x',
  ),
  'bytes of text': js(
    3200,
    'const e = new TextEncoder(); let x = 0; for (let i = 0; i < n; i++) x += e.encode("grüße ".repeat(100)).length; return x',
  ),
  'SHA-256': js(3_000_000, 'return createHash("sha256").update(Buffer.alloc(n, 7)).digest("hex")'),
  compression: js(1_500_000, 'return deflateSync(Buffer.from("some text, ".repeat(n / 11))).length'),
};

/** Commands that run long enough for their start not to dominate. */
export const IN_GUEST: Works = {
  'a loop': sh(300, ':'),
  'sums in a shell': sh(250, 'x=$((x + i * i % 7))'),
  'strings in a shell': sh(200, 's=$s-'),
  'patterns in a shell': sh(200, 'case key$i in *7) x=1;; k*) x=2;; esac'),
  'functions of a shell': sh(150, 'f $i', 'f() { y=$1; }; '),
  'arguments of a shell': sh(100, 'set -- a b c $i; shift 2'),
  'trimming in a shell': sh(150, 'v=file$i.txt; w=${v%.txt}; w=${w#file}'),
  'printing in a shell': sh(120, 'printf "%05d " $i'),
  'tests in a shell': sh(150, '[ $i -gt 5 ] && x=1'),
  'loops in loops': sh(40, 'for j in 1 2 3 4 5 6 7 8; do x=$j; done'),
  'reading lines': sh(60, 'read a b', '', '', '< /etc/services'),
  'starting processes': sh(2, '/bin/true'),
  subshells: sh(6, '(x=1)'),
  'what a command prints': sh(5, 'x=$(echo $i)'),
  'a pipe': sh(3, 'echo a | read x'),
  'SHA-256': pipe(40_000, 'sha256sum'),
  MD5: pipe(80_000, 'md5sum'),
  'a checksum': pipe(80_000, 'cksum'),
  'counting bytes': pipe(800_000, 'wc -c'),
  'replacing bytes': pipe(150_000, 'tr "\\\\000" x'),
  base64: pipe(80_000, 'base64 -w0'),
  compression: pipe(60_000, 'gzip -1 -c'),
  'numbers in a row': { size: 6000, code: (size) => `seq ${size}` },
  'sorting lines': { size: 300, code: (size) => `seq ${size} | sort -R --random-source=/dev/zero` },
  'cutting lines': { size: 600, code: (size) => `seq ${size} | cut -c2` },
};

function js(size: number, code: string): Work {
  return { size, code: () => code };
}

function sh(size: number, body: string, before = '', after = '', input = ''): Work {
  return { size, code: (n) => `${before}i=0; while [ $i -lt ${n} ]; do i=$((i+1)); ${body}; done ${input}${after}` };
}

function pipe(size: number, consumer: string): Work {
  return { size, code: (bytes) => `head -c ${bytes} /dev/zero | ${consumer}` };
}
