/** `memory snapshot create|list|delete`: names for states of the whole memory. */

import { Argument, type Command } from 'commander';
import type { CliContext } from '../context.ts';
import { printJson, printTable } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

type Action = 'create' | 'list' | 'delete';

/** The verb `memory snapshot`. */
export function memorySnapshotCommand(context: CliContext): Command {
  return restCommand(
    'snapshot',
    'Name the present state of the memory, list these names, or delete one; snap:<name> is a version.',
    `memory snapshot create before-cleanup
  git-memory-mcp memory snapshot list`,
  )
    .addArgument(new Argument('<action>', 'what to do').choices(['create', 'list', 'delete']))
    .argument('[name]', 'for create and delete: letters of any script, digits, dots, _ and -')
    .action((action: Action, name: string | undefined, options: RestOptions) =>
      runMemorySnapshot({ action, name }, options, context),
    );
}

async function runMemorySnapshot(
  body: { action: Action; name: string | undefined },
  options: RestOptions,
  context: CliContext,
): Promise<void> {
  const client = await connectRest(options, context);
  const done = await client.call('memorySnapshot', { body });
  if (options.json === true) {
    printJson(context, done);
    return;
  }
  printTable(context, done.snapshots, [
    { title: 'NAME', value: ({ name }) => name },
    { title: 'COMMIT', value: ({ commit }) => commit.slice(0, 12) },
    { title: 'MADE', value: ({ at }) => at },
  ]);
}
