import { access } from 'node:fs/promises';
import { run } from '../base/process.ts';
import { shellQuote } from '../base/text.ts';
import type { ResolvedPackage } from './apt.ts';

/** Lines of sh around the installation of packages in a foreign root file system, which is `$1`. */
export interface NativeHelp {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** Programs of this machine that do in a foreign root what the root's own would do, and print the same bytes. */
const UNPACKERS = ['/usr/bin/dpkg-deb', '/usr/bin/tar'];

/** Where the originals are kept in the root until they are restored. */
const ASIDE = '/var/lib/harness-native';

const COMPILER = '/usr/bin/py3compile';

/**
 * Lets this machine's own programs do the work of an installation that is the same on every architecture: unpacking archives
 * (a ninth of what qemu-user takes) and compiling Python to bytecode (a tenth). They are in the root with their libraries
 * meanwhile, below paths of this machine's architecture, and gone afterwards. Maintainer scripts are emulated as before, but
 * py3compile only notes what it was asked for, which is done at the end, by the root's own py3compile with this machine's
 * Python of the same version: its bytecode is that of every architecture.
 * @param resolved what is installed.
 */
export async function nativeHelp(resolved: readonly ResolvedPackage[]): Promise<NativeHelp> {
  const libraries = await librariesOf(UNPACKERS);
  if (libraries === undefined) return { before: [], after: [] };
  const python = await samePython(resolved);
  const compiler = python === undefined ? undefined : await librariesOf([python]);
  const files = [...new Set([...libraries, ...(compiler ?? [])])].map(shellQuote).join(' ');
  const tools = UNPACKERS.join(' ');
  const noCompiler = compiler === undefined || python === undefined;
  return {
    before: [
      `mkdir "$1${ASIDE}"`,
      `for file in ${files}; do [ -e "$1$file" ] || { mkdir -p "$1\${file%/*}"; cp -L "$file" "$1$file"; echo "$file" >>"$1${ASIDE}/files"; }; done`,
      `for tool in ${tools}; do mv "$1$tool" "$1${ASIDE}/"; cp "$tool" "$1$tool"; done`,
      ...(noCompiler
        ? []
        : [divert('--no-rename', '--add'), `cat >"$1${COMPILER}" <<'end'\n${RECORDER}end\nchmod 755 "$1${COMPILER}"`]),
    ],
    after: [
      ...(noCompiler ? [] : compile(python)),
      `for tool in ${tools}; do mv "$1${ASIDE}/\${tool##*/}" "$1$tool"; done`,
      `while read -r file; do rm "$1$file"; rmdir "$1\${file%/*}" 2>/dev/null || :; done <"$1${ASIDE}/files"`,
      `rm -r "$1${ASIDE}"`,
    ],
  };
}

/** Replaces py3compile while packages are configured: records each argument on a line, then an empty line. */
const RECORDER = `#!/bin/sh
{ printf '%s\\n' "$@"; echo; } >>${ASIDE}/compile
`;

/** Runs the recorded calls of py3compile. */
const RUNNER = `import subprocess, sys
for call in open('${ASIDE}/compile').read().split('\\n\\n'):
    if call: subprocess.run([sys.executable, '${COMPILER}', *call.split('\\n')], check=True)
`;

function compile(python: string): string[] {
  return [
    `rm "$1${COMPILER}"`,
    divert('--rename', '--remove'),
    `if [ -e "$1${ASIDE}/compile" ]; then mv "$1${python}" "$1${ASIDE}/python"; cp ${python} "$1${python}"; chroot "$1" ${python} -c ${shellQuote(RUNNER)}; mv "$1${ASIDE}/python" "$1${python}"; fi`,
  ];
}

/** Keeps the root's own py3compile, which comes with one of the packages, out of the way of the one that notes. */
function divert(...how: readonly string[]): string {
  return `dpkg-divert --root="$1" --quiet --local --divert ${COMPILER}.harness ${how.join(' ')} ${COMPILER}`;
}

/** The libraries that programs of this machine are loaded with, and what loads them; undefined where that cannot be told. */
async function librariesOf(programs: readonly string[]): Promise<string[] | undefined> {
  try {
    const { stdout } = await run(['ldd', ...programs], { purpose: 'find the libraries of programs' });
    const found = parseLdd(String(stdout));
    return found.length > 0 ? found : undefined;
  } catch {
    return undefined;
  }
}

/** Paths in what ldd prints. */
export function parseLdd(text: string): string[] {
  return [...new Set([...text.matchAll(/^\s+(?:\S+ => )?(\/\S+) \(0x/gm)].map(([, path]) => path!))];
}

/** This machine's Python if it is the one that is installed: bytecode is the same from one upstream version. */
async function samePython(packages: readonly ResolvedPackage[]): Promise<string | undefined> {
  const minimal = packages.find(({ name }) => /^python3\.\d+-minimal$/.test(name));
  if (minimal === undefined) return undefined;
  const python = `/usr/bin/${minimal.name.replace('-minimal', '')}`;
  try {
    await access(python);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own placeholder
    const { stdout } = await run(['dpkg-query', '-W', '-f', '${Version}', minimal.name], { purpose: 'find Python' });
    return upstream(String(stdout)) === upstream(minimal.version) ? python : undefined;
  } catch {
    return undefined;
  }
}

function upstream(version: string): string {
  return version.replace(/-[^-]*$/, '');
}
