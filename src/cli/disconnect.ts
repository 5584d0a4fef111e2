/** `disconnect <client>`: gives a client its config back. */

import { Command } from 'commander';
import { clientFolders } from '../config/clients/client-paths.ts';
import { clientNames } from '../config/clients/clients.ts';
import { disconnectClient } from './connect/change-client.ts';
import { openConnectionRecords } from './connect/connection-records.ts';
import { clientFile, findClient } from './connect/find-client.ts';
import type { CliContext } from './context.ts';
import { note, printJson } from './output.ts';

interface DisconnectOptions {
  readonly project?: boolean;
  readonly json?: boolean;
}

const words = {
  restored: 'restored its config as it was',
  removed: 'removed our entry; other changes since then were kept',
  'not-connected': 'was not connected by us; nothing changed',
} as const;

/** The verb `disconnect`. */
export function disconnectCommand(context: CliContext): Command {
  return new Command('disconnect')
    .description("Undo connect: restore the client's config, or take out our entry if it changed since.")
    .argument('<client>', clientNames.join(', '))
    .option('--project', "the project's file in this folder instead of your own")
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  git-memory-mcp disconnect cursor')
    .action((name: string, options: DisconnectOptions) => runDisconnect(name, options, context));
}

async function runDisconnect(name: string, options: DisconnectOptions, context: CliContext): Promise<void> {
  const client = findClient(name);
  const file = clientFile(client, options.project === true, context);
  const outcome = await disconnectClient(client, file, openConnectionRecords(clientFolders(context).own));
  if (options.json === true) printJson(context, { client: client.name, file, outcome });
  else note(context, `${client.title}: ${words[outcome]} (${file})`);
}
