/** `limits show`: which limits hold, and what is left. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { printFacts, printJson, printTable } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

interface ShowOptions extends RestOptions {
  readonly principal?: string;
  readonly server?: string;
  readonly tool?: string;
}

/** The verb `limits show`. */
export function limitsShowCommand(context: CliContext): Command {
  return restCommand(
    'show',
    'Show which limits hold, and what is left.',
    'limits show --principal key:1f2e3d4c5b6a',
  )
    .option('--principal <id>', 'of this user or key, as key:<id>, instead of your own')
    .option('--server <id>', 'with those of calls to this instance')
    .option('--tool <name>', "with those of this tool of the server, by the server's name of it")
    .action((options: ShowOptions) => runLimitsShow(options, context));
}

async function runLimitsShow(options: ShowOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const { principal, server, tool } = options;
  const standing = await client.call('limits', { query: { principal, server, tool } });
  if (options.json === true) {
    printJson(context, standing);
    return;
  }
  printFacts(context, {
    principal: standing.principal,
    tenant: standing.tenant,
    plan: standing.plan,
    priority: standing.priority,
    counting: standing.counting,
    ...(standing.items.length === 0 && { limits: 'none' }),
  });
  if (standing.items.length === 0) return;
  printTable(context, standing.items, [
    { title: 'RULE', value: ({ rule }) => rule },
    { title: 'PER', value: ({ per }) => per },
    { title: 'OF', value: ({ of }) => of },
    { title: 'WINDOW', value: ({ window }) => window },
    { title: 'LIMIT', value: ({ limit }) => limit, alignRight: true },
    { title: 'LEFT', value: ({ remaining }) => remaining, alignRight: true },
    { title: 'RESET', value: ({ resetMs }) => `${Math.ceil(resetMs / 1000)} s`, alignRight: true },
  ]);
}
