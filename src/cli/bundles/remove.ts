/** `bundles remove <name…>`: removes added bundles. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { note, printJson } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

/** The verb `bundles remove`. */
export function bundlesRemoveCommand(context: CliContext): Command {
  return restCommand('remove', 'Remove added bundles.', 'bundles remove support')
    .argument('<name...>', 'names of bundles')
    .action((names: string[], options: RestOptions) => runBundlesRemove(names, options, context));
}

async function runBundlesRemove(
  names: readonly string[],
  options: RestOptions,
  context: CliContext,
): Promise<void> {
  const client = await connectRest(options, context);
  const removed: string[] = [];
  for (const name of names) {
    const answer = await client.call('bundlesRemove', { params: { name } });
    removed.push(answer.removed);
    if (options.json !== true) note(context, `removed ${answer.removed}`);
  }
  if (options.json === true) printJson(context, { removed });
}
