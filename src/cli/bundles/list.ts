/** `bundles list`: the bundles by name. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { printJson, printTable } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

/** The verb `bundles list`. */
export function bundlesListCommand(context: CliContext): Command {
  return restCommand('list', 'List bundles by name.', 'bundles list').action((options: RestOptions) =>
    runBundlesList(options, context),
  );
}

async function runBundlesList(options: RestOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const { items } = await client.call('bundlesList', {});
  if (options.json === true) {
    printJson(context, { items });
    return;
  }
  printTable(context, items, [
    { title: 'NAME', value: ({ name }) => name },
    { title: 'SOURCE', value: ({ source }) => source },
    { title: 'TOOLS', value: ({ tools }) => tools, alignRight: true },
    { title: 'MISSING', value: ({ missing }) => missing.length, alignRight: true },
    { title: 'TITLE', value: ({ title }) => title },
  ]);
}
