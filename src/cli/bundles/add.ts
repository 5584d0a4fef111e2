/** `bundles add <name> …`: adds a bundle, or changes an added one; it is kept over restarts. */

import type { Command } from 'commander';
import type { z } from 'zod';
import { bundleShape } from '../../kernel/bundle-shape.ts';
import { AppError } from '../../kernel/errors.ts';
import type { JsonObject } from '../../kernel/json-rpc.ts';
import { jsonObject, jsonOrText, readInput, repeated, splitPair } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { note, printJson } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

interface AddOptions extends RestOptions {
  readonly tool?: readonly string[];
  readonly set?: readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly entry?: string;
}

type BundleInput = z.input<typeof bundleShape>;

const examples = `bundles add support --tool 'memory_*' --tool sqlite__query=find_ticket --set find_ticket.database=tickets.db
  git-memory-mcp bundles add support --entry support.json`;

/** The verb `bundles add`. */
export function bundlesAddCommand(context: CliContext): Command {
  return restCommand('add', 'Add a bundle of tools, or change an added one; kept over restarts.', examples)
    .argument('<name>', 'name of the bundle; its endpoint is /mcp/bundles/<name>')
    .option('--tool <tool[=name]>', 'a tool of /mcp, renamed if wanted; * at its end (repeatable)', repeated)
    .option(
      '--set <name.argument=value>',
      'settle an argument of a tool; JSON or text (repeatable)',
      repeated,
    )
    .option('--title <text>', 'name for people')
    .option('--description <text>', 'what it is for')
    .option('--entry <file>', 'the whole bundle as JSON; - reads standard input')
    .action((name: string, options: AddOptions) => runBundlesAdd(name, options, context));
}

function toolsOf({ tool = [], set = [] }: AddOptions): JsonObject[] {
  const tools = tool.map((text): JsonObject => {
    const [name, renamed] = splitPair(text, '--tool');
    return { tool: name, ...(renamed !== undefined && { name: renamed }) };
  });
  for (const text of set) {
    const [place, value] = splitPair(text, '--set');
    const dot = place.indexOf('.');
    const name = place.slice(0, dot);
    const found = tools.find((one) => (one['name'] ?? one['tool']) === name);
    if (dot < 1 || value === undefined || !found) {
      const known = tools.map((one) => String(one['name'] ?? one['tool'])).join(', ');
      throw new AppError('INVALID_INPUT', {
        field: '--set',
        problem: `must look like name.argument=value, where the name is one of: ${known}`,
      });
    }
    found['arguments'] = {
      ...(found['arguments'] as JsonObject | undefined),
      [place.slice(dot + 1)]: jsonOrText(value),
    };
  }
  return tools;
}

async function bundleOf(options: AddOptions, context: CliContext): Promise<JsonObject> {
  const { entry, title, description } = options;
  const tools = toolsOf(options);
  return {
    ...(entry !== undefined && jsonObject(await readInput(entry, context, '--entry'), '--entry')),
    ...(tools.length > 0 && { tools }),
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
  };
}

async function runBundlesAdd(name: string, options: AddOptions, context: CliContext): Promise<void> {
  const bundle = await bundleOf(options, context);
  if (bundle['tools'] === undefined)
    throw new AppError('INVALID_INPUT', { field: '--tool', problem: 'is missing: name at least one tool' });
  const client = await connectRest(options, context);
  const added = await client.call('bundlesAdd', { params: { name }, body: bundle as BundleInput });
  if (options.json === true) {
    printJson(context, added);
    return;
  }
  note(context, `added ${added.name} with ${added.tools} tools: ${added.url}`);
  for (const missing of added.missing) note(context, `warning: there is no tool ${missing} now`);
}
