/** `servers release`: lets servers out of quarantine. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { bulkCommand } from './bulk-command.ts';

/** The verb `servers release`. */
export function serversReleaseCommand(context: CliContext): Command {
  return bulkCommand(
    context,
    'release',
    'Let servers out of quarantine and start them; lazy ones sleep until they are called.',
    'release docs',
  );
}
