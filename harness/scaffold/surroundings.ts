/** The files around a project's matrices and suites; see `initProject`. */

/** Lines of .gitignore. */
export const IGNORED: readonly string[] = ['node_modules/', '.harness/'];

/** Scripts of package.json. */
export const SCRIPT: Readonly<Record<string, string>> = { harness: 'harness run' };

/** Packages that a runner needs, which has Compose; a test compares them with what the set-up installs. */
const PACKAGES = [
  'qemu-system-x86 qemu-system-arm qemu-system-ppc qemu-utils ovmf qemu-efi-aarch64 qemu-user-static',
  'mmdebstrap arch-test uidmap debian-archive-keyring dpkg tar kmod e2fsprogs xz-utils zstd perl-base',
  'util-linux mount iproute2 openssh-client',
];

/** Files that are kept if they exist. */
export const surroundings: readonly { readonly path: string; readonly text: string }[] = [
  {
    path: 'tsconfig.json',
    text: `${JSON.stringify(
      {
        compilerOptions: {
          target: 'es2024',
          module: 'nodenext',
          strict: true,
          noEmit: true,
          skipLibCheck: true,
          types: [],
        },
        include: ['suites'],
      },
      null,
      2,
    )}\n`,
  },
  {
    path: '.github/workflows/harness.yml',
    text: `# Runs the project's matrix on emulated machines. A job a cell, and one report of all: \`harness matrix --github\`.
name: harness

on:
  pull_request:
  push:
    branches: [main]

permissions:
  contents: read

jobs:
  run:
    runs-on: ubuntu-24.04
    timeout-minutes: 60
    steps:
      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0
        with:
          persist-credentials: false

      - uses: actions/setup-node@a0853c24544627f65ddf259abe73b1d18a591444 # v5.0.0
        with:
          node-version: "24"

      - name: Packages
        run: |
          sudo apt-get update -q
          sudo apt-get install -y -q --no-install-recommends \\
${PACKAGES.map((line) => `            ${line}`).join(' \\\n')}

      # The runner is this job's alone. Ubuntu 24.04 lets AppArmor deny user namespaces, and images are built in one.
      - name: KVM where there is KVM, and namespaces
        run: |
          if [ -e /dev/kvm ]; then sudo chmod 0666 /dev/kvm; fi
          sudo sysctl -q -w kernel.apparmor_restrict_unprivileged_userns=0 || true

      - uses: actions/cache@0057852bfaa89a56745cba8c7296529d2fc39830 # v4.3.0
        with:
          path: ~/.cache/multiarch-harness
          key: harness-\${{ hashFiles('suites/**/suite.yaml', 'matrices/**') }}
          restore-keys: harness-

      - run: npm install

      - run: npx harness run

      - uses: actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2
        if: \${{ !cancelled() }}
        with:
          name: harness
          path: .harness/runs/
          include-hidden-files: true
          if-no-files-found: ignore
          retention-days: 14
`,
  },
];
