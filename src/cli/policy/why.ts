/** `policy why <principal> <action>`: may they, and which rule says so? */

import { type Command, Option } from 'commander';
import type { z } from 'zod';
import type { questionFields } from '../../contract/policy-shape.ts';
import { type Action, actions } from '../../kernel/actions.ts';
import { AppError } from '../../kernel/errors.ts';
import { jsonObject } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { printFacts, printJson } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

type Question = z.input<z.ZodObject<typeof questionFields>>;

interface WhyOptions
  extends
    RestOptions,
    Pick<Question, 'server' | 'category' | 'tool' | 'scope' | 'key' | 'prefix' | 'at' | 'remoteAddress'> {
  readonly groups?: string;
  readonly arguments?: string;
  readonly annotations?: string;
}

const keyId = /^(?:key:)?[0-9a-f]{12}$/;

/** The verb `policy why`. */
export function policyWhyCommand(context: CliContext): Command {
  return restCommand(
    'why',
    'Say whether somebody may do something, and which rule decides.',
    `policy why developer tools:call --server files --tool write_file
  git-memory-mcp policy why 1f2e3d4c5b6a memory:write --scope shared --key notes/today`,
  )
    .argument('<principal>', 'id of a key, or a role')
    .argument('<action>', `one of ${actions.join(', ')}`)
    .option('--groups <names>', 'groups of somebody: a,b')
    .option('--server <id>', 'server')
    .option('--category <category>', 'category of the server')
    .option('--tool <name>', "the server's own name of the tool")
    .option('--annotations <json>', 'of the tool, such as {"readOnlyHint": true}')
    .option('--scope <scope>', 'scope of the memory')
    .addOption(new Option('--key <key>', 'one key of the memory').conflicts('prefix'))
    .option('--prefix <prefix>', 'all keys that begin so')
    .option('--arguments <json>', 'arguments of the call')
    .option('--at <time>', 'ISO 8601 time of the call (default: now)')
    .option('--remote-address <address>', 'where the call comes from')
    .action((principal: string, action: string, options: WhyOptions) =>
      runPolicyWhy(principal, action, options, context),
    );
}

async function runPolicyWhy(
  principal: string,
  action: string,
  options: WhyOptions,
  context: CliContext,
): Promise<void> {
  if (!(actions as readonly string[]).includes(action))
    throw new AppError('INVALID_INPUT', { field: 'action', problem: `must be one of ${actions.join(', ')}` });
  const { groups, arguments: given, annotations } = options;
  const { url: _url, data: _data, json, groups: _groups, ...place } = options;
  const client = await connectRest(options, context);
  const answer = await client.call('policyWhy', {
    body: {
      ...place,
      ...(keyId.test(principal) ? { principal } : { role: principal }),
      action: action as Action,
      groups: groups?.split(',').map((name) => name.trim()),
      arguments: given === undefined ? undefined : jsonObject(given, '--arguments'),
      annotations: annotations === undefined ? undefined : jsonObject(annotations, '--annotations'),
    },
  });
  if (json === true) printJson(context, answer);
  else {
    const { decision, rule = 'nothing allows it', problem, text, role } = answer;
    printFacts(context, { decision, role, rule, problem, text });
  }
}
