/** `servers start <id…>`: starts instances that are stopped, asleep or failed. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { restCommand, type RestOptions } from '../rest-command.ts';
import { changeServers } from './change-servers.ts';

/** The verb `servers start`. */
export function serversStartCommand(context: CliContext): Command {
  return restCommand('start', 'Start instances.', 'servers start sqlite-3104')
    .argument('<id...>', 'instance ids, aliases or ports')
    .action((ids: string[], options: RestOptions) => changeServers('serversStart', ids, options, context));
}
