/** `servers scale <id…>`: how many replicas servers have. */

import { AppError } from '../../kernel/errors.ts';
import { mostReplicas } from '../../kernel/pool-options.ts';
import type { Command } from 'commander';
import { integerOption } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { type RestOptions, restCommand } from '../rest-command.ts';
import { eachServer } from './each-server.ts';

interface ScaleOptions extends RestOptions {
  readonly replicas?: number;
  readonly min?: number;
  readonly max?: number;
  readonly reset?: true;
}

/** The verb `servers scale`. */
export function serversScaleCommand(context: CliContext): Command {
  const count = (field: string) => integerOption(field, 1, mostReplicas);
  return restCommand(
    'scale',
    'Set how many replicas servers have, or between which bounds they follow the load.',
    'servers scale browser --min 1 --max 8',
  )
    .argument('<id...>', 'instance ids, aliases or ports')
    .option('--replicas <count>', 'so many, whatever the load', count('--replicas'))
    .option('--min <count>', 'fewest', count('--min'))
    .option('--max <count>', 'most', count('--max'))
    .option('--reset', 'back to the config')
    .action((ids: string[], options: ScaleOptions) => runServersScale(ids, options, context));
}

async function runServersScale(
  ids: readonly string[],
  options: ScaleOptions,
  context: CliContext,
): Promise<void> {
  const { replicas, min, max, reset } = options;
  if ([replicas, min ?? max, reset].filter((given) => given !== undefined).length !== 1)
    throw new AppError('INVALID_INPUT', {
      field: '--replicas',
      problem: 'give one of --replicas, --min or --max, and --reset',
    });
  await eachServer(
    ids,
    (client, id) => client.call('serversScale', { params: { id }, body: { replicas, min, max, reset } }),
    [
      { title: 'ID', value: ({ id }) => id },
      { title: 'REPLICAS', value: ({ replicas: now }) => now, alignRight: true },
      { title: 'LEAVING', value: ({ leaving }) => leaving, alignRight: true },
      { title: 'MIN', value: (scaled) => scaled.min, alignRight: true },
      { title: 'MAX', value: (scaled) => scaled.max, alignRight: true },
      { title: 'SET BY', value: ({ byHand }) => (byHand ? 'hand' : 'config') },
    ],
    options,
    context,
  );
}
