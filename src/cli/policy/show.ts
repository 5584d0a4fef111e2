/** `policy show [role]`: the roles that are in force, and how a trial goes. */

import type { Command } from 'commander';
import { stringify } from 'yaml';
import type { CliContext } from '../context.ts';
import { note, printJson, printLines } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';
import { noteTrial } from './shadow.ts';

/** The verb `policy show`. */
export function policyShowCommand(context: CliContext): Command {
  return restCommand('show', 'Print the policy in force, as it could be set.', 'policy show developer')
    .argument('[role]', 'only this role')
    .action((role: string | undefined, options: RestOptions) => runPolicyShow(role, options, context));
}

async function runPolicyShow(
  role: string | undefined,
  options: RestOptions,
  context: CliContext,
): Promise<void> {
  const client = await connectRest(options, context);
  const answer = await client.call('policyShow', {});
  const { version, problem, policy, builtIn, shadow } = answer;
  if (options.json === true) {
    printJson(context, answer);
    return;
  }
  note(context, `version ${version}`);
  if (problem !== undefined) note(context, `what is in the memory is not in force: ${problem}`);
  const roles = Object.entries({ ...builtIn, ...policy?.roles }).filter(([name]) => (role ?? name) === name);
  const tests = role === undefined ? policy?.tests : undefined;
  const written = stringify({ roles: Object.fromEntries(roles), ...(tests && { tests }) }, { lineWidth: 0 });
  printLines(context, written.trimEnd().split('\n'));
  if (shadow) noteTrial(shadow, context);
}
