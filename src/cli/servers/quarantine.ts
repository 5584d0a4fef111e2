/** `servers quarantine`: keeps servers out of traffic until they are released. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { bulkCommand, type BulkOptions } from './bulk-command.ts';

interface QuarantineOptions extends BulkOptions {
  readonly reason: string;
}

/** The verb `servers quarantine`. */
export function serversQuarantineCommand(context: CliContext): Command {
  return bulkCommand<QuarantineOptions>(
    context,
    'quarantine',
    'Take servers out of traffic and of the lists of tools until they are released; kept over restarts.',
    'quarantine docs --reason "asks for passwords since Tuesday"',
    ({ reason }) => ({ reason }),
  ).requiredOption('--reason <text>', 'why, for those who find it so');
}
