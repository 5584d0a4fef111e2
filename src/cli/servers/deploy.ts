/** `servers deploy`: fifty built-in instances a phase, each checked by a real call before the next phase. */

import type { Command } from 'commander';
import type { PhaseReport } from '../../contract/rest/deployment-routes.ts';
import { AppError } from '../../kernel/errors.ts';
import { integerOption } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { note, printJson } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';
import { phaseTimeoutMs, printReports } from './print-phases.ts';

interface DeployOptions extends RestOptions {
  readonly phase?: number;
  readonly all?: boolean;
  readonly dryRun?: boolean;
}

const example = `servers deploy --phase 1
  git-memory-mcp servers deploy --all

A phase that fails is rolled back, and those after it are not begun. The coordinator finishes a phase that has begun
even if this command is interrupted: see servers deployments.`;

/** The verb `servers deploy`. */
export function serversDeployCommand(context: CliContext): Command {
  return restCommand('deploy', 'Deploy built-in instances in phases of 50, each checked by a call.', example)
    .option('--phase <number>', 'this phase', integerOption('--phase', 1, 20))
    .option('--all', 'every phase that is not complete, in turn')
    .option('--dry-run', 'print what would be done')
    .action((options: DeployOptions) => runServersDeploy(options, context));
}

async function runServersDeploy(options: DeployOptions, context: CliContext): Promise<void> {
  const { phase, all = false, dryRun = false } = options;
  if ((phase === undefined) !== all)
    throw new AppError('INVALID_INPUT', { field: '--phase', problem: 'give either --phase or --all' });
  const client = await connectRest(options, context);
  const numbers = phase === undefined ? Array.from({ length: 20 }, (_, index) => index + 1) : [phase];
  const reports: PhaseReport[] = [];
  for (const number of numbers) {
    if (all && !dryRun) note(context, `phase ${number} of ${numbers.length} …`);
    const answer = await client.call(
      'deploymentsDeploy',
      { body: { phase: number, dryRun } },
      phaseTimeoutMs,
    );
    reports.push(...answer.reports);
    if (reports.at(-1)?.outcome === 'rolled-back') break;
  }
  if (reports.at(-1)?.outcome === 'rolled-back') context.exitCode = 8;
  if (options.json === true) printJson(context, { reports });
  else printReports(context, reports);
}
