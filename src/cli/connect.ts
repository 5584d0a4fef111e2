/** `connect <client>`: writes our endpoint into a client's config, keeping a copy of the file. */

import { Command } from 'commander';
import { AppError } from '../kernel/errors.ts';
import { clientFolders } from '../config/clients/client-paths.ts';
import { clientNames } from '../config/clients/clients.ts';
import { connectClient } from './connect/change-client.ts';
import { openConnectionRecords } from './connect/connection-records.ts';
import { clientFile, findClient, reachOf } from './connect/find-client.ts';
import type { CliContext } from './context.ts';
import { findCoordinator } from './find-coordinator.ts';
import { endpointOf } from './mcp-endpoint.ts';
import { note, printJson } from './output.ts';

interface ConnectOptions {
  readonly url?: string;
  readonly data?: string;
  readonly server?: string;
  readonly category?: string;
  readonly bundle?: string;
  readonly search?: boolean;
  readonly name: string;
  readonly project?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** Name of our entry in a client's config. */
export const defaultEntryName = 'git-memory';

/** The verb `connect`. */
export function connectCommand(context: CliContext): Command {
  return new Command('connect')
    .description(`Write the endpoint into a client's config, keeping a backup: ${clientNames.join(', ')}.`)
    .argument('<client>', clientNames.join(', '))
    .option('--url <url>', 'endpoint (default: the running coordinator, else the configured port)')
    .option('--data <folder>', 'data folder of the coordinator (default .git-memory)')
    .option('--server <id>', 'only this server, tool names untouched')
    .option('--category <category>', 'only this category')
    .option('--bundle <name>', 'only this bundle of tools')
    .option('--search', 'three tools that find all others, instead of a list of hundreds')
    .option('--name <name>', 'name of the entry', defaultEntryName)
    .option('--project', "write the project's file in this folder instead of your own")
    .option('--force', 'replace an entry of that name that is not ours')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  git-memory-mcp connect cursor --project')
    .action((name: string, options: ConnectOptions) => runConnect(name, options, context));
}

async function runConnect(name: string, options: ConnectOptions, context: CliContext): Promise<void> {
  const client = findClient(name);
  if (options.name.trim() === '' || options.name === '__proto__') {
    throw new AppError('INVALID_INPUT', { field: '--name', problem: 'must be a name' });
  }
  const file = clientFile(client, options.project === true, context);
  const { url, certificate, dataDir } = await findCoordinator(options, context);
  const endpoint = endpointOf(url, options);
  const records = openConnectionRecords(clientFolders(context).own);
  const place = { client, file, entry: options.name };
  const outcome = await connectClient(
    place,
    client.entry(reachOf(endpoint, certificate === undefined ? undefined : dataDir)),
    records,
    options.force === true,
  );
  if (options.json === true) {
    printJson(context, { client: client.name, file, url: endpoint, ...outcome });
    return;
  }
  if (outcome.change === 'unchanged') {
    note(context, `${client.title} is already connected: ${file}`);
    return;
  }
  note(context, `connected ${client.title} to ${endpoint}: ${file}`);
  if (outcome.backup !== undefined) note(context, `backup: ${outcome.backup}`);
  if (certificate !== undefined)
    note(
      context,
      'a client that calls the URL itself has to trust the certificate: NODE_EXTRA_CA_CERTS for most',
    );
  note(context, client.after);
}
