/** `config reload`: the running coordinator loads its config file again. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { note, printJson, printTable } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

/** The verb `config reload`. */
export function configReloadCommand(context: CliContext): Command {
  return restCommand(
    'reload',
    'Have the coordinator load its config again: servers that changed are replaced, calls in flight finish.',
    'config reload',
  ).action((options: RestOptions) => runConfigReload(options, context));
}

async function runConfigReload(options: RestOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const report = await client.call('configReload', {});
  if (report.failed.length > 0) context.exitCode = 8;
  if (options.json === true) {
    printJson(context, report);
    return;
  }
  const { added, replaced, removed, failed, needsRestart } = report;
  const rows = [
    ...Object.entries({ added, replaced, removed }).flatMap(([action, ids]) =>
      ids.map((id) => ({ action, id, problem: '' })),
    ),
    ...failed.map(({ id, problem }) => ({ action: 'failed', id, problem })),
  ];
  if (rows.length > 0) {
    printTable(context, rows, [
      { title: 'ACTION', value: ({ action }) => action },
      { title: 'ID', value: ({ id }) => id },
      { title: 'PROBLEM', value: ({ problem }) => problem },
    ]);
  } else note(context, 'no server has changed');
  if (needsRestart.length > 0) note(context, `holds after the next start: ${needsRestart.join(', ')}`);
}
