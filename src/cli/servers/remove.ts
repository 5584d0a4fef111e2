/** `servers remove`: stops added servers and forgets them. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { bulkCommand } from './bulk-command.ts';

/** The verb `servers remove`. */
export function serversRemoveCommand(context: CliContext): Command {
  return bulkCommand(context, 'remove', 'Stop added servers and forget them.', 'remove docs');
}
