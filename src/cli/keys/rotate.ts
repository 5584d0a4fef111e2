/** `keys rotate`: a new key in place of one, both valid for a while. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { durationOption, type KeysOptions, keysCommand, printNewKey, withKeys } from './open-keys.ts';

interface RotateOptions extends KeysOptions {
  readonly overlap: number;
}

const defaultOverlapMs = 86_400_000;

/** The verb `keys rotate`. */
export function keysRotateCommand(context: CliContext): Command {
  return keysCommand(
    'rotate',
    'Make a key with the name, role and time of another one, which ends after the overlap.',
    'keys rotate 1f2e3d4c5b6a --overlap 12h',
  )
    .argument('<id>', 'id of the former key')
    .option(
      '--overlap <time>',
      'the former one is valid for so long (default 1d)',
      durationOption('--overlap'),
      defaultOverlapMs,
    )
    .action((id: string, options: RotateOptions) => runKeysRotate(id, options, context));
}

async function runKeysRotate(id: string, options: RotateOptions, context: CliContext): Promise<void> {
  const { overlap } = options;
  const made = await withKeys(options, context, (keys) => keys.rotate(id, overlap), {
    action: 'keys rotate',
    arguments: { id, overlapMs: overlap },
    id,
    made: (next) => next.id,
  });
  printNewKey(made, options, context);
}
