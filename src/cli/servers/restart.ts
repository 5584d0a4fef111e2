/** `servers restart`: stops and starts instances. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { bulkCommand } from './bulk-command.ts';

/** The verb `servers restart`. */
export function serversRestartCommand(context: CliContext): Command {
  return bulkCommand(context, 'restart', 'Stop and start instances.', 'restart --select state=unhealthy');
}
