/** `policy shadow <file>`: tries a policy beside the one in force. */

import type { Command } from 'commander';
import { AppError } from '../../kernel/errors.ts';
import type { CliContext } from '../context.ts';
import { note, printJson, printTable } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';
import type { CallOutput } from '../rest-client.ts';
import { readPolicy } from './read-policy.ts';

interface ShadowOptions extends RestOptions {
  readonly stop?: boolean;
}

type Trial = CallOutput<'policyTryEnd'>;

/** The verb `policy shadow`. */
export function policyShadowCommand(context: CliContext): Command {
  return restCommand(
    'shadow',
    'Try a policy beside the one in force: it decides nothing, what it would change is counted and logged.',
    `policy shadow next.yaml
  git-memory-mcp policy shadow
  git-memory-mcp policy shadow --stop`,
  )
    .argument('[file]', 'YAML or JSON; without it: how the trial goes')
    .option('--stop', 'end the trial and say how it went')
    .action((file: string | undefined, options: ShadowOptions) => runPolicyShadow(file, options, context));
}

async function runPolicyShadow(
  path: string | undefined,
  options: ShadowOptions,
  context: CliContext,
): Promise<void> {
  const trial = await trialOf(path, options, context);
  if (options.json === true) {
    printJson(context, trial);
    return;
  }
  noteTrial(trial, context);
  printTable(context, trial.differences, [
    { title: 'COUNT', value: ({ count }) => count, alignRight: true },
    { title: 'ROLE', value: ({ role }) => role },
    { title: 'ACTION', value: ({ action }) => action },
    { title: 'ON', value: ({ server, tool }) => [server, tool].filter(Boolean).join(' ') },
    { title: 'NOW', value: ({ decided }) => decided },
    { title: 'THEN', value: ({ tried }) => tried },
    { title: 'RULE', value: ({ rule }) => rule },
  ]);
}

async function trialOf(
  path: string | undefined,
  options: ShadowOptions,
  context: CliContext,
): Promise<Trial> {
  if (path !== undefined && options.stop === true)
    throw new AppError('INVALID_INPUT', { field: '--stop', problem: 'takes no file' });
  const file = path === undefined ? undefined : await readPolicy(path, context);
  const client = await connectRest(options, context);
  if (options.stop === true) return await client.call('policyTryEnd', {});
  if (file) return await file.telling(() => client.call('policyTry', { body: { policy: file.policy } }));
  const { shadow } = await client.call('policyShow', {});
  if (!shadow) throw new AppError('NOT_FOUND', { what: 'trial', id: 'start one with policy shadow <file>' });
  return shadow;
}

/** One line on how a trial goes. */
export function noteTrial({ compared, different }: Trial, context: CliContext): void {
  note(context, `on trial: ${different} of ${compared} decisions would be others`);
}
