/** `memory delete <key>`: the history stays. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { note, printJson } from '../output.ts';
import { connectRest } from '../rest-command.ts';
import { inWorkspaceCommand, type InWorkspaceOptions, placeOf } from './memory-command.ts';

interface DeleteOptions extends InWorkspaceOptions {
  readonly ifMatch?: string;
}

/** The verb `memory delete`. */
export function memoryDeleteCommand(context: CliContext): Command {
  return inWorkspaceCommand(
    'delete',
    'Remove a key; its history stays and `memory restore` brings it back.',
    'memory delete notes/today',
  )
    .argument('<key>', 'name, slash-separated')
    .option('--if-match <etag>', 'only if the current etag is this one')
    .action((key: string, options: DeleteOptions) => runMemoryDelete(key, options, context));
}

async function runMemoryDelete(key: string, options: DeleteOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const result = await client.call('memoryDelete', {
    ...placeOf(key, options),
    query: { ifMatch: options.ifMatch, workspace: options.workspace },
  });
  if (options.json === true) printJson(context, result);
  else
    note(
      context,
      result.deleted
        ? `deleted ${result.key} from ${result.scope}`
        : `nothing to delete: ${result.key} is not in ${result.scope}`,
    );
}
