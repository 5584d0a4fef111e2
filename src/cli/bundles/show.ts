/** `bundles show <name>`: one bundle with its tools. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { note, printJson, printTable } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

/** The verb `bundles show`. */
export function bundlesShowCommand(context: CliContext): Command {
  return restCommand('show', 'Show a bundle: its endpoint and its tools.', 'bundles show support')
    .argument('<name>', 'name of the bundle')
    .action((name: string, options: RestOptions) => runBundlesShow(name, options, context));
}

async function runBundlesShow(name: string, options: RestOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const bundle = await client.call('bundlesShow', { params: { name } });
  if (options.json === true) {
    printJson(context, bundle);
    return;
  }
  note(context, bundle.url);
  for (const missing of bundle.missing) note(context, `missing: ${missing}`);
  printTable(context, bundle.chosen, [
    { title: 'NAME', value: (tool) => tool.name },
    { title: 'TOOL', value: (tool) => tool.tool },
    { title: 'SETTLED', value: (tool) => tool.arguments && JSON.stringify(tool.arguments) },
  ]);
}
