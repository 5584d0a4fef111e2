/** `servers restart <id…>`: stops and starts instances. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { restCommand, type RestOptions } from '../rest-command.ts';
import { changeServers } from './change-servers.ts';

/** The verb `servers restart`. */
export function serversRestartCommand(context: CliContext): Command {
  return restCommand('restart', 'Stop and start instances.', 'servers restart sqlite-3104')
    .argument('<id...>', 'instance ids, aliases or ports')
    .action((ids: string[], options: RestOptions) => changeServers('serversRestart', ids, options, context));
}
