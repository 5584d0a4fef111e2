/** `servers scale`: how many replicas servers have, or between which bounds they follow the load. */

import type { Command } from 'commander';
import { AppError } from '../../kernel/errors.ts';
import { mostReplicas } from '../../kernel/pool-options.ts';
import { integerOption } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { bulkCommand, type BulkOptions } from './bulk-command.ts';

interface ScaleOptions extends BulkOptions {
  readonly replicas?: number;
  readonly min?: number;
  readonly max?: number;
  readonly reset?: true;
}

/** The verb `servers scale`. */
export function serversScaleCommand(context: CliContext): Command {
  const count = (field: string) => integerOption(field, 1, mostReplicas);
  return bulkCommand<ScaleOptions>(
    context,
    'scale',
    'Set how many replicas servers have, or between which bounds they follow the load.',
    'scale browser --min 1 --max 8',
    wishOf,
  )
    .option('--replicas <count>', 'so many, whatever the load', count('--replicas'))
    .option('--min <count>', 'fewest', count('--min'))
    .option('--max <count>', 'most', count('--max'))
    .option('--reset', 'back to the config');
}

function wishOf({ replicas, min, max, reset }: ScaleOptions) {
  if ([replicas, min ?? max, reset].filter((given) => given !== undefined).length !== 1)
    throw new AppError('INVALID_INPUT', {
      field: '--replicas',
      problem: 'give one of --replicas, --min or --max, and --reset',
    });
  return { replicas, min, max, reset };
}
