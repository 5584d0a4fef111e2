/** `policy set <file>`: puts a policy in force. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { note, printJson } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';
import { readPolicy } from './read-policy.ts';

interface SetOptions extends RestOptions {
  readonly ifMatch?: string;
}

/** The verb `policy set`. */
export function policySetCommand(context: CliContext): Command {
  return restCommand(
    'set',
    'Put a policy in force, if it is sound and its own tests hold.',
    'policy set policy.yaml',
  )
    .argument('<file>', 'YAML or JSON; - reads standard input')
    .option('--if-match <version>', 'only if this is the version in force')
    .action((file: string, options: SetOptions) => runPolicySet(file, options, context));
}

async function runPolicySet(path: string, options: SetOptions, context: CliContext): Promise<void> {
  const file = await readPolicy(path, context);
  const { policy } = file;
  const client = await connectRest(options, context);
  const { ifMatch } = options;
  const done = await file.telling(() =>
    client.call('policySet', { body: { policy, ...(ifMatch !== undefined && { ifMatch }) } }),
  );
  if (options.json === true) printJson(context, done);
  else
    note(context, `in force: version ${done.version}, ${done.roles.length} roles, ${done.tests} tests held`);
}
