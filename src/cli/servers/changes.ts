/** `servers changes <id>`: what a pinned server offers otherwise than was approved. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { printJson } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';
import { printPin } from './print-pin.ts';

/** The verb `servers changes`. */
export function serversChangesCommand(context: CliContext): Command {
  return restCommand(
    'changes',
    'Show what a pinned server changed since it was approved.',
    'servers changes docs',
  )
    .argument('<id>', 'instance id, alias or port')
    .action((id: string, options: RestOptions) => runServersChanges(id, options, context));
}

async function runServersChanges(id: string, options: RestOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const pin = await client.call('serversChanges', { params: { id } });
  if (options.json === true) printJson(context, pin);
  else printPin(context, pin);
}
