/** `memory retrieve <key>`: the value alone, so that it can be piped. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { printJson } from '../output.ts';
import { connectRest } from '../rest-command.ts';
import { inWorkspaceCommand, type InWorkspaceOptions, placeOf, printValue } from './memory-command.ts';

interface RetrieveOptions extends InWorkspaceOptions {
  readonly at?: string;
}

/** The verb `memory retrieve`. */
export function memoryRetrieveCommand(context: CliContext): Command {
  return inWorkspaceCommand(
    'retrieve',
    'Print the value of a key, now or as it was.',
    'memory retrieve projects/apollo --at 2026-11-01',
  )
    .argument('<key>', 'name, slash-separated')
    .option('--at <version>', 'a commit id, an ISO 8601 date or snap:<name>')
    .action((key: string, options: RetrieveOptions) => runMemoryRetrieve(key, options, context));
}

async function runMemoryRetrieve(key: string, options: RetrieveOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const { at, workspace } = options;
  const memory = await client.call('memoryRetrieve', { ...placeOf(key, options), query: { at, workspace } });
  if (options.json === true) printJson(context, memory);
  else printValue(context, memory.value);
}
