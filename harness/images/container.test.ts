import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { architectures } from '../arch/index.ts';
import type { Apt } from './apt.ts';
import { buildContainer, CONTAINER_FILE, type ContainerRequest, imageIdOf } from './container.ts';

const noArchive: Apt = {
  folder: '',
  sources: [],
  missing: [],
  resolve: async () => [],
  download: async () => {},
  archive: () => '',
};

async function build(more: Partial<ContainerRequest> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'harness-container-'));
  await buildContainer(
    {
      arch: architectures.ppc64le,
      release: 'bookworm',
      tag: 'my-web:1',
      apt: noArchive,
      packages: [],
      exclude: [],
      files: [{ path: '/www/index.html', mode: '0640', content: Buffer.from('hello\n') }],
      command: ['/bin/httpd', '-f'],
      ports: [80],
      health: { command: ['/bin/true'], seconds: 2 },
      ...more,
    },
    folder,
  );
  const archive = join(folder, CONTAINER_FILE);
  const read = async (name: string) =>
    (await execa('tar', ['-xOf', archive, `./${name}`], { encoding: 'buffer', stripFinalNewline: false })).stdout;
  const [manifest] = JSON.parse(Buffer.from(await read('manifest.json')).toString()) as [
    { Config: string; RepoTags: string[]; Layers: string[] },
  ];
  const config = Buffer.from(await read(manifest.Config)).toString();
  const layer = Buffer.from(await read(manifest.Layers[0]!));
  const id = await imageIdOf(archive);
  const digest = createHash('sha256')
    .update(await readFile(archive))
    .digest('hex');
  await rm(folder, { recursive: true });
  return { manifest, config, layer, digest, id };
}

test('in a release with everything below usr, the other folders of programs are links to it', async () => {
  const names = async (release: ContainerRequest['release']) => {
    const files = [{ path: '/bin/tool', mode: '0755', content: Buffer.from('#!/bin/sh\n') }];
    const { layer } = await build({ release, files });
    const { stdout } = await execa('tar', ['-tvf', '-'], { input: layer });
    return stdout.split('\n').map((line) => line.replace(/^.*?\.\//, './'));
  };
  expect(await names('trixie')).toEqual(expect.arrayContaining(['./bin -> usr/bin', './usr/bin/tool']));
  const bookworm = await names('bookworm');
  expect(bookworm).toContain('./bin/tool');
  expect(bookworm.join()).not.toContain('->');
});

test('an engine finds the right architecture, matching digests, and the command', async () => {
  const { manifest, config, layer, id } = await build();
  expect(manifest.RepoTags).toEqual(['my-web:1']);
  const sha256 = (data: Buffer | string) => createHash('sha256').update(data).digest('hex');
  expect(manifest.Config).toBe(`${sha256(config)}.json`);
  expect(id).toBe(`sha256:${sha256(config)}`);
  expect(JSON.parse(config)).toMatchObject({
    architecture: 'ppc64le',
    os: 'linux',
    config: {
      Cmd: ['/bin/httpd', '-f'],
      ExposedPorts: { '80/tcp': {} },
      Healthcheck: { Test: ['CMD', '/bin/true'], Interval: 2e9 },
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
  });
  const { stdout } = await execa('tar', ['-tvf', '-'], { input: layer, env: { TZ: 'UTC' } });
  expect(stdout).toMatch(/^-rw-r----- 0\/0 +6 1970-01-01 00:00 \.\/www\/index\.html$/m);
});

test('the same input gives the same bytes; another architecture is another image', async () => {
  const [one, again, other] = [await build(), await build(), await build({ arch: architectures.arm64 })];
  expect(again.digest).toBe(one.digest);
  expect(other.manifest.Config).not.toBe(one.manifest.Config);
});

/** Packs a package of these files, builds an image of it, and lists the image's files as tar does. */
async function filesOfPackage(paths: readonly string[], more: Partial<ContainerRequest> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'harness-package-'));
  const deb = join(folder, 'a.deb');
  for (const path of [...paths, 'DEBIAN/control']) {
    await mkdir(dirname(join(folder, 'tree', path)), { recursive: true });
    const control = 'Package: a\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nDescription: a\n';
    await writeFile(join(folder, 'tree', path), path === 'DEBIAN/control' ? control : 'x');
  }
  await execa('dpkg-deb', ['--build', '--root-owner-group', join(folder, 'tree'), deb]);
  const packages = [{ name: 'a', version: '1', arch: 'all' }];
  const { layer } = await build({ apt: { ...noArchive, archive: () => deb }, packages, ...more });
  await rm(folder, { recursive: true });
  return (await execa('tar', ['-tvf', '-'], { input: layer })).stdout;
}

test('it has no excluded paths and no documentation, but licences; anybody may write to /tmp', async () => {
  const paths = ['usr/bin/big', 'usr/lib/x/gconv/y', 'usr/lib/x/kept', 'usr/share/man/man1/x', 'usr/share/doc/a/x'];
  const exclude = ['/usr/bin', '/usr/lib/*/gconv'];
  const listed = await filesOfPackage([...paths, 'usr/share/doc/a/copyright'], { exclude });
  const packed = listed.split('\n').map((line) => line.split(' ./').at(1) ?? '');
  expect(packed.filter((path) => path.startsWith('usr/') && !path.endsWith('/'))).toEqual([
    'usr/lib/x/kept',
    'usr/share/doc/a/copyright',
  ]);
  expect(listed).toMatch(/^drwxrwxrwt .* \.\/tmp\/$/m);
});

test('users and groups are those of base-passwd, whose maintainer script does not run', async () => {
  const masters = ['passwd', 'group'].map((name) => `usr/share/base-passwd/${name}.master`);
  const listed = await filesOfPackage(masters);
  expect(listed).toMatch(/ \.\/etc\/passwd$/m);
  expect(listed).toMatch(/ \.\/etc\/group$/m);
  expect(await filesOfPackage(['usr/share/x'])).not.toMatch(/ \.\/etc\/passwd$/m);
});
