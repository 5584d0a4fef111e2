/** `servers deployments`: the phases with their state, or the newest reports. */

import type { Command } from 'commander';
import { integerOption } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { printJson, printTable } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';
import { printReports } from './print-phases.ts';

interface DeploymentsOptions extends RestOptions {
  readonly reports?: boolean;
  readonly limit: number;
}

/** The verb `servers deployments`. */
export function serversDeploymentsCommand(context: CliContext): Command {
  return restCommand(
    'deployments',
    'Show the phases of the deployment, or with --reports what was done and how long it took.',
    'servers deployments --reports',
  )
    .option('--reports', 'the newest reports instead')
    .option('--limit <count>', 'at most so many reports', integerOption('--limit', 1, 1000), 50)
    .action((options: DeploymentsOptions) => runServersDeployments(options, context));
}

async function runServersDeployments(options: DeploymentsOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const { phases, reports } = await client.call('deploymentsList', { query: { limit: options.limit } });
  if (options.json === true) printJson(context, { phases, reports });
  else if (options.reports === true) printReports(context, reports);
  else
    printTable(context, phases, [
      { title: 'PHASE', value: ({ phase }) => phase, alignRight: true },
      { title: 'STATE', value: ({ state }) => state },
      { title: 'SERVERS', value: ({ servers }) => servers, alignRight: true },
      { title: 'TITLE', value: ({ title }) => title },
      {
        title: 'BRINGS',
        value: ({ shares }) => shares.map(({ category, count }) => `${count} ${category}`).join(', '),
      },
    ]);
}
