// npm runs `postprepare` after installing a checkout's packages, and after doing so in the clone in its cache when someone
// installs the package from git. Only the clone needs dist, from which the package is packed next; a checkout runs its
// sources. It is not called `prepare`, which npm runs in the same places, because npm asks users who install from git
// about that one. (Other package managers run `prepack`.)
import { fileURLToPath } from 'node:url';

if (fileURLToPath(import.meta.url).includes('/_cacache/tmp/')) await import('./build.mjs');
