/** `servers logs <id>`: what an instance wrote to standard error. */

import type { Command } from 'commander';
import { integerOption } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { plainText, printJson, printLines, styled } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

interface LogsOptions extends RestOptions {
  readonly tail: number;
}

/** The verb `servers logs`. */
export function serversLogsCommand(context: CliContext): Command {
  return restCommand(
    'logs',
    'Show the last lines an instance wrote to standard error.',
    'servers logs docs --tail 50',
  )
    .argument('<id>', 'instance id, alias or port')
    .option('--tail <count>', 'how many lines', integerOption('--tail', 1, 5000), 200)
    .action((id: string, options: LogsOptions) => runServersLogs(id, options, context));
}

async function runServersLogs(id: string, options: LogsOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const { lines } = await client.call('serversLogs', { params: { id }, query: { tail: options.tail } });
  if (options.json === true) printJson(context, { lines });
  else
    printLines(
      context,
      lines.map(({ at, line }) => `${styled(context, 'dim', at)}\t${plainText(line)}`),
    );
}
