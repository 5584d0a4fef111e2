/** `servers revert <id…>`: see `servers changes` first. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { type RestOptions, restCommand } from '../rest-command.ts';
import { decidePins } from './decide-pins.ts';

/** The verb `servers revert`. */
export function serversRevertCommand(context: CliContext): Command {
  return restCommand(
    'revert',
    'Turn down what pinned servers offer now: the approved definitions stay in force, new tools stay out.',
    'servers revert docs',
  )
    .argument('<id...>', 'instance ids, aliases or ports')
    .action((ids: string[], options: RestOptions) => decidePins('serversRevert', ids, options, context));
}
