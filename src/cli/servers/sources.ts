/** `servers sources`: where discovery looks, and what is wrong there. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { printJson, printTable } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

/** The verb `servers sources`. */
export function serversSourcesCommand(context: CliContext): Command {
  return restCommand(
    'sources',
    'Show where servers are discovered, what is wrong there, and which gave way to others.',
    'servers sources',
  ).action((options: RestOptions) => runServersSources(options, context));
}

async function runServersSources(options: RestOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const discovery = await client.call('discovery', {});
  if (options.json === true) {
    printJson(context, discovery);
    return;
  }
  const { sources, conflicts, failures } = discovery;
  const rows = [
    ...sources.map(({ kind, origin, servers, problems }) => ({
      kind,
      origin,
      servers: String(servers),
      problem: problems.join('; '),
    })),
    ...conflicts.map(({ server, source, origin, winner }) => ({
      kind: source,
      origin,
      servers: server,
      problem: `gave way to ${winner}`,
    })),
    ...failures.map(({ id, source, reason }) => ({
      kind: source,
      origin: undefined,
      servers: id,
      problem: reason,
    })),
  ];
  printTable(context, rows, [
    { title: 'SOURCE', value: ({ kind }) => kind },
    { title: 'ORIGIN', value: ({ origin }) => origin },
    { title: 'SERVERS', value: ({ servers }) => servers },
    { title: 'PROBLEM', value: ({ problem }) => problem },
  ]);
}
