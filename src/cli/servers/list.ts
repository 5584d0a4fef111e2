/** `servers list`: every instance in port order. */

import { type Command, Option } from 'commander';
import { instanceStates, type ServerItem } from '../../contract/rest/server-routes.ts';
import { integerOption } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { type Column, printJson, printTable } from '../output.ts';
import { collectPages, connectRest, type RestOptions, restCommand } from '../rest-command.ts';

interface ListOptions extends RestOptions {
  readonly category?: string;
  readonly state?: ServerItem['state'];
  readonly select?: string;
  readonly limit: number;
}

const columns: readonly Column<ServerItem>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'CATEGORY', value: ({ category }) => category },
  { title: 'PORT', value: ({ port }) => port, alignRight: true },
  { title: 'TRANSPORT', value: ({ transport }) => transport },
  { title: 'SOURCE', value: ({ source }) => source },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'REPLICAS', value: replicasOf, alignRight: true },
  { title: 'SINCE', value: ({ since }) => since },
  { title: 'TOOLS', value: ({ tools }) => tools, alignRight: true },
  { title: 'CALLS', value: ({ calls }) => calls, alignRight: true },
  { title: 'ERRORS', value: ({ errors }) => errors, alignRight: true },
  { title: 'TAGS', value: ({ tags }) => tags?.join(',') },
  { title: 'REASON', value: ({ reason, held }) => reason ?? heldBack(held) },
  { title: 'SESSIONS', value: ({ sessions }) => sessions, alignRight: true },
];

/** `3`, or `3 of 1-8` where the number follows the load. */
function replicasOf({ replicas, bounds }: ServerItem): string {
  return bounds ? `${replicas} of ${bounds.min}-${bounds.max}` : String(replicas);
}

function heldBack(held: number | undefined): string | undefined {
  return held === undefined || held === 0 ? undefined : `${held} tools held back: see servers changes`;
}

/** The verb `servers list`. */
export function serversListCommand(context: CliContext): Command {
  return restCommand('list', 'List server instances in port order.', 'servers list --category database')
    .option('--category <category>', 'only this category')
    .addOption(new Option('--state <state>', 'only in this state').choices(instanceStates))
    .option('--select <selector>', 'only those it chooses, e.g. category=database,tag=blue')
    .option('--limit <count>', 'at most so many', integerOption('--limit', 1, 100_000), 100_000)
    .action((options: ListOptions) => runServersList(options, context));
}

async function runServersList(options: ListOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const { category, state, select } = options;
  const items = await collectPages(options.limit, (page) =>
    client.call('serversList', { query: { ...page, category, state, select } }),
  );
  if (options.json === true) printJson(context, { items });
  else printTable(context, items, columns);
}
