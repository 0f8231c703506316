// npm runs `postprepare` after it installed a checkout's packages, and after it did so in the clone that it makes in its
// cache when somebody installs the package from git. Only the second wants dist, out of which the package is packed next; a
// checkout runs its sources. It is not called `prepare`, which npm runs in the same places, because npm asks whoever
// installs from git about that one. (Other package managers run `prepack`.)
import { fileURLToPath } from 'node:url';

if (fileURLToPath(import.meta.url).includes('/_cacache/tmp/')) await import('./build.mjs');
