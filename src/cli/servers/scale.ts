/** `servers scale`: sets how many connections or processes of servers are kept. */

import type { Command } from 'commander';
import { integerOption } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { bulkCommand, type BulkOptions } from './bulk-command.ts';

interface ScaleOptions extends BulkOptions {
  readonly replicas: number;
}

/** The verb `servers scale`. */
export function serversScaleCommand(context: CliContext): Command {
  return bulkCommand<ScaleOptions>(
    context,
    'scale',
    'Set the number of replicas of servers; kept over restarts.',
    'scale --select tag=busy --replicas 3',
    ({ replicas }) => ({ replicas }),
  ).requiredOption('--replicas <count>', 'connections or processes kept', integerOption('--replicas', 1, 64));
}
