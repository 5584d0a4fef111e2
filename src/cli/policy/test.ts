/** `policy test [file]`: do the examples hold? */

import type { Command } from 'commander';
import { AppError } from '../../kernel/errors.ts';
import type { CliContext } from '../context.ts';
import { note, printJson, printTable } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';
import { readPolicy } from './read-policy.ts';

/** The verb `policy test`. */
export function policyTestCommand(context: CliContext): Command {
  return restCommand(
    'test',
    'Try the examples under `tests` of a policy on it, or those of the policy in force. Nothing is changed.',
    'policy test policy.yaml',
  )
    .argument('[file]', 'YAML or JSON; - reads standard input')
    .action((file: string | undefined, options: RestOptions) => runPolicyTest(file, options, context));
}

async function runPolicyTest(
  path: string | undefined,
  options: RestOptions,
  context: CliContext,
): Promise<void> {
  const file = path === undefined ? undefined : await readPolicy(path, context);
  const client = await connectRest(options, context);
  const ask = () => client.call('policyTest', { body: file ? { policy: file.policy } : {} });
  const report = await (file ? file.telling(ask) : ask());
  if (options.json === true) printJson(context, report);
  else {
    printTable(context, report.results, [
      { title: 'RESULT', value: ({ isMet }) => (isMet ? 'ok' : 'FAILED') },
      { title: 'EXPECT', value: ({ expect }) => expect },
      { title: 'IS', value: ({ decision }) => decision },
      { title: 'RULE', value: ({ rule, problem }) => problem ?? rule },
      { title: 'TEST', value: ({ name }) => name },
    ]);
    note(context, `${report.passed} hold, ${report.failed} do not`);
  }
  if (report.failed === 0) return;
  const problem = `${report.failed} of ${report.results.length} do not hold`;
  throw new AppError('INVALID_INPUT', { field: 'tests', problem });
}
