import { expect, test } from 'vitest';
import { dependents, knownForFirstBoot, parseRelations } from './first-boot.ts';

const resolved = (...names: string[]) => names.map((name) => ({ name, version: '1', arch: 'arm64' }));

test('the server of MariaDB is known, its clients are not', () => {
  const all = resolved('mariadb-client', 'mariadb-server', 'mariadb-server-core', 'mariadb-server-10.5', 'nginx');
  expect(knownForFirstBoot(all)).toEqual(['mariadb-server', 'mariadb-server-10.5']);
});

test('relations are read with versions, architectures, alternatives and folded lines', () => {
  const text = `Package: a
Depends: b (>= 1:2.0~), c:any | d [linux-any],
 e
Pre-Depends: f
Provides: g (= 1), h`;
  expect(parseRelations(text)).toEqual({ name: 'a', needs: ['f', 'b', 'c', 'd', 'e'], provides: ['g', 'h'] });
});

test('dependents of a package, or of something that it provides, wait with it; its dependencies do not', () => {
  const of = (name: string, needs: string[] = [], provides: string[] = []) => ({ name, needs, provides });
  const all = [
    of('libmariadb3'),
    of('mariadb-server', ['libmariadb3'], ['virtual-mysql-server']),
    of('wordpress', ['virtual-mysql-server', 'php']),
    of('blog', ['wordpress']),
    of('php'),
  ];
  expect([...dependents(all, new Set(['mariadb-server']))].sort()).toEqual(['blog', 'mariadb-server', 'wordpress']);
});
