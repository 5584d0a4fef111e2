/** `servers start`: starts instances that are stopped, asleep or failed. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { bulkCommand } from './bulk-command.ts';

/** The verb `servers start`. */
export function serversStartCommand(context: CliContext): Command {
  return bulkCommand(context, 'start', 'Start instances.', 'start --select category=database,state=stopped');
}
