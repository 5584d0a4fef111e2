/** `servers stop`: stops instances until they are started again. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { bulkCommand } from './bulk-command.ts';

/** The verb `servers stop`. */
export function serversStopCommand(context: CliContext): Command {
  return bulkCommand(context, 'stop', 'Stop instances until they are started again.', 'stop sqlite-3104');
}
