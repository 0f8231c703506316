import { whyNotAFileOf } from '../../base/file-inside.ts';
import { quote } from '../../base/quote.ts';
import type { Deployer } from '../deployer.ts';
import { engineBlame } from '../engine.ts';
import { composeOf, mustHaveCompose } from './command.ts';
import { loadCompose, projectName } from './stack.ts';
import { composeLogs, deployCompose } from './up.ts';

/** An engine that was stopped may restart the containers on its disk. */
const REMOVE = `command -v docker || return 0
docker version 2>&1 || systemctl start docker || return 1
label="label=com.docker.compose.project=$what"
docker ps --all --quiet --filter "$label" | xargs --no-run-if-empty docker rm --force --volumes &&
  docker network ls --quiet --filter "$label" | xargs --no-run-if-empty docker network rm &&
  docker volume ls --quiet --filter "$label" | xargs --no-run-if-empty docker volume rm`;

/** Services of a Compose file, on the machine's own Docker engine. */
export const compose: Deployer = {
  name: 'compose',
  uses: ({ stack }) => stack.compose !== undefined,
  needs: ['docker'],
  async problems({ stack }, folder) {
    const files = await Promise.all(
      (stack.compose ?? []).map(async (file) => [file, await whyNotAFileOf(folder, file)] as const),
    );
    return files.flatMap(([file, why]) =>
      why === undefined ? [] : [{ path: ['stack', 'compose'], text: `stack.compose is ${quote(file)}, ${why}` }],
    );
  },
  load: loadCompose,
  unsupported(suite, arch) {
    for (const [service, tag] of Object.entries(composeOf(suite).services)) {
      const built = suite.stack.images.find((image) => image.tag === tag)?.arch;
      if (built !== undefined && !built.includes(arch))
        return `the service "${service}" needs the image "${tag}", which is built for ${built.join(' and ')} and not for ${arch}: add ${arch} to its \`arch:\` in stack.images, or leave ${arch} out with \`arch:\` of the suite`;
    }
    return undefined;
  },
  prepare: mustHaveCompose,
  ingredients: (suite) => ({ compose: composeOf(suite).content }),
  up: ({ suite, options }) => {
    const services = Object.keys(composeOf(suite).services).join(', ');
    return async ({ target }) => {
      options.progress(`bringing up ${services}`);
      await deployCompose(target, suite, options);
    };
  },
  logs: composeLogs,
  undo: { noted: ({ name }) => projectName(name), script: REMOVE },
  blame: engineBlame,
};
