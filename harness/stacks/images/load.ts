import { readFile } from 'node:fs/promises';
import { scaledMs } from '../../base/time.ts';
import type { Suite } from '../../config/suite.ts';
import { containerPath } from '../../images/build.ts';
import { imageIdOf } from '../../images/container.ts';
import type { Target } from '../../targets/target.ts';
import type { DeployOptions, StackNode } from '../deployer.ts';
import { runCommand } from '../run-command.ts';

/** Loads a machine's container images into its engine, from its disk or over its connection. */
export async function loadImages(
  { target, containers, onImage }: StackNode,
  suite: Suite,
  options: DeployOptions,
): Promise<void> {
  const load = ['docker', 'load', '--quiet'];
  for (const [index, { tag, archive }] of containers.entries()) {
    if (onImage) await runCommand(target, [...load, '--input', containerPath(index)], suite, options);
    // An existing machine has no space reserved for it on its disk, and may have it from an earlier run.
    else if (!(await hasImage(target, tag, await imageIdOf(archive), scaledMs(suite.timeouts.command, options.scale))))
      await runCommand(target, load, suite, options, { shown: `docker load # ${tag}`, stdin: await readFile(archive) });
  }
}

async function hasImage(target: Target, tag: string, id: string, deadlineMs: number): Promise<boolean> {
  const { stdout } = await target.exec(['docker', 'image', 'inspect', '--format', '{{.Id}}', tag], { deadlineMs });
  return stdout.trim() === id;
}
