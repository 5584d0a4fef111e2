/** `policy history`: versions of the policy, newest first. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { printJson, printTable } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

/** The verb `policy history`. */
export function policyHistoryCommand(context: CliContext): Command {
  return restCommand('history', 'List the versions of the policy, newest first.', 'policy history').action(
    (options: RestOptions) => runPolicyHistory(options, context),
  );
}

async function runPolicyHistory(options: RestOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const { versions } = await client.call('policyHistory', {});
  if (options.json === true) {
    printJson(context, { versions });
    return;
  }
  printTable(context, versions, [
    { title: 'COMMIT', value: ({ commit }) => commit?.slice(0, 12) ?? 'pending' },
    { title: 'AT', value: ({ at }) => at },
    { title: 'OP', value: ({ op }) => op },
    { title: 'BY', value: ({ actor }) => actor },
  ]);
}
