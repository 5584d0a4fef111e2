/** `servers remove <id…>`: stops added servers and forgets them. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { note, printJson } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

/** The verb `servers remove`. */
export function serversRemoveCommand(context: CliContext): Command {
  return restCommand('remove', 'Stop added servers and forget them.', 'servers remove docs')
    .argument('<id...>', 'instance ids, aliases or ports')
    .action((ids: string[], options: RestOptions) => runServersRemove(ids, options, context));
}

async function runServersRemove(
  ids: readonly string[],
  options: RestOptions,
  context: CliContext,
): Promise<void> {
  const client = await connectRest(options, context);
  const removed: string[] = [];
  for (const id of ids) {
    const answer = await client.call('serversRemove', { params: { id } });
    removed.push(answer.removed);
    if (options.json !== true) note(context, `removed ${answer.removed}`);
  }
  if (options.json === true) printJson(context, { removed });
}
