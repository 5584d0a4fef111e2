/** `policy revert <commit>`: a former policy in force again. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { note, printJson } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

/** The verb `policy revert`. */
export function policyRevertCommand(context: CliContext): Command {
  return restCommand(
    'revert',
    'Put a former version of the policy in force, as a new one.',
    'policy revert 0a1b2c3d4e5f',
  )
    .argument('<commit>', 'commit of `policy history`, or an ISO 8601 date')
    .action((to: string, options: RestOptions) => runPolicyRevert(to, options, context));
}

async function runPolicyRevert(to: string, options: RestOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const done = await client.call('policyRevert', { body: { to } });
  if (options.json === true) printJson(context, done);
  else note(context, `in force: version ${done.version}, ${done.roles.length} roles`);
}
