/** `servers undeploy`: takes out what the deployment of a phase had added. */

import type { Command } from 'commander';
import type { PhaseReport } from '../../contract/rest/deployment-routes.ts';
import { AppError } from '../../kernel/errors.ts';
import { integerOption } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { printJson } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';
import { phaseTimeoutMs, printReports } from './print-phases.ts';

interface UndeployOptions extends RestOptions {
  readonly phase?: number;
  readonly all?: boolean;
  readonly dryRun?: boolean;
}

/** The verb `servers undeploy`. */
export function serversUndeployCommand(context: CliContext): Command {
  return restCommand(
    'undeploy',
    'Take out the instances that the deployment of a phase had added; their calls finish first.',
    'servers undeploy --phase 3',
  )
    .option('--phase <number>', 'this phase', integerOption('--phase', 1, 20))
    .option('--all', 'every phase, the last one first')
    .option('--dry-run', 'print what would be done')
    .action((options: UndeployOptions) => runServersUndeploy(options, context));
}

async function runServersUndeploy(options: UndeployOptions, context: CliContext): Promise<void> {
  const { phase, all = false, dryRun = false } = options;
  if ((phase === undefined) !== all)
    throw new AppError('INVALID_INPUT', { field: '--phase', problem: 'give either --phase or --all' });
  const client = await connectRest(options, context);
  const numbers = phase === undefined ? Array.from({ length: 20 }, (_, index) => 20 - index) : [phase];
  const reports: PhaseReport[] = [];
  for (const number of numbers)
    reports.push(
      await client.call(
        'deploymentsUndeploy',
        { params: { phase: number }, body: { dryRun } },
        phaseTimeoutMs,
      ),
    );
  if (options.json === true) printJson(context, { reports });
  else printReports(context, reports);
}
