/** `servers approve <id…>`: see `servers changes` first. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { type RestOptions, restCommand } from '../rest-command.ts';
import { decidePins } from './decide-pins.ts';

/** The verb `servers approve`. */
export function serversApproveCommand(context: CliContext): Command {
  return restCommand(
    'approve',
    'Approve what pinned servers offer now: their tools are listed and called.',
    'servers approve docs',
  )
    .argument('<id...>', 'instance ids, aliases or ports')
    .action((ids: string[], options: RestOptions) => decidePins('serversApprove', ids, options, context));
}
