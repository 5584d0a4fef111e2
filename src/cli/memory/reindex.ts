/** `memory reindex`: the index anew, from Git and the journal. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { note, printJson } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

const timeoutMs = 3_600_000;

/** The verb `memory reindex`. */
export function memoryReindexCommand(context: CliContext): Command {
  return restCommand(
    'reindex',
    'Build the index of values, history and search anew from Git; other calls wait meanwhile.',
    'memory reindex',
  ).action((options: RestOptions) => runMemoryReindex(options, context));
}

async function runMemoryReindex(options: RestOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const done = await client.call('memoryReindex', { body: {} }, timeoutMs);
  if (options.json === true) printJson(context, done);
  else note(context, `indexed ${done.keys} keys and ${done.versions} versions in ${done.seconds} s`);
}
