/** `memory backup [create|list]`: backups in the place that the config names. */

import { Argument, type Command } from 'commander';
import type { CliContext } from '../context.ts';
import { formatBytes, note, printJson, printTable } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

type Action = 'create' | 'list';

/** A large memory takes its time. */
const timeoutMs = 6 * 3_600_000;

/** The verb `memory backup`. */
export function memoryBackupCommand(context: CliContext): Command {
  return restCommand(
    'backup',
    'Back the whole memory up into the place that memory.backup of the config names, or list the backups there.',
    `memory backup
  git-memory-mcp memory backup list`,
  )
    .addArgument(new Argument('[action]', 'what to do').choices(['create', 'list']).default('create'))
    .action((action: Action, options: RestOptions) => runMemoryBackup(action, options, context));
}

async function runMemoryBackup(action: Action, options: RestOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const answer = await client.call('memoryBackup', { body: { action } }, timeoutMs);
  if (options.json === true) {
    printJson(context, answer);
    return;
  }
  printTable(context, answer.backups, [
    { title: 'BACKUP', value: ({ id }) => id },
    { title: 'MADE', value: ({ at }) => at },
    { title: 'SIZE', value: ({ bytes }) => formatBytes(bytes), alignRight: true },
    { title: 'LAST WRITE', value: ({ lastSeq }) => lastSeq, alignRight: true },
    { title: 'STATE', value: ({ encrypted, problem }) => problem ?? (encrypted ? 'encrypted' : 'ok') },
  ]);
  if (answer.removed.length > 0) note(context, `deleted ${answer.removed.length} outdated or interrupted`);
  if (answer.lastError)
    note(context, `the last try failed at ${answer.lastError.at}: ${answer.lastError.message}`);
  if (action === 'list')
    note(context, `in ${answer.target}${answer.nextAt ? `, next at ${answer.nextAt}` : ''}`);
}
