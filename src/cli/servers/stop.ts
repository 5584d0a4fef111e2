/** `servers stop <id…>`: stops instances until they are started again. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { restCommand, type RestOptions } from '../rest-command.ts';
import { changeServers } from './change-servers.ts';

/** The verb `servers stop`. */
export function serversStopCommand(context: CliContext): Command {
  return restCommand('stop', 'Stop instances until they are started again.', 'servers stop sqlite-3104')
    .argument('<id...>', 'instance ids, aliases or ports')
    .action((ids: string[], options: RestOptions) => changeServers('serversStop', ids, options, context));
}
