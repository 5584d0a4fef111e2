/** `tools call <name> [json]`: one call through the gateway. */

import type { Command } from 'commander';
import { isJsonObject, type JsonObject } from '../../kernel/json-rpc.ts';
import { AppError } from '../../kernel/errors.ts';
import { integerOption, jsonObject, jsonOrText, readStdin, repeated, splitPair } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { formatBytes, plainText, printJson, printLines } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

interface CallOptions extends RestOptions {
  readonly arg?: readonly string[];
  readonly timeoutMs?: number;
}

/** A call may take as long as the coordinator lets it; this only ends a wait for one that hangs. */
const longestCallMs = 86_400_000;

/** The verb `tools call`. */
export function toolsCallCommand(context: CliContext): Command {
  return restCommand(
    'call',
    'Call a tool. Ends with 1 when the tool says that it failed.',
    `tools call memory_search '{"query": "apollo"}'
  git-memory-mcp tools call memory_search --arg query=apollo --arg limit=5`,
  )
    .argument('<name>', 'tool name as in `tools list`')
    .argument('[arguments]', 'arguments as a JSON object; - reads standard input')
    .option('--arg <name=value>', 'one argument; JSON where it is JSON, else text (repeatable)', repeated)
    .option(
      '--timeout-ms <ms>',
      'longest wait, in milliseconds',
      integerOption('--timeout-ms', 1, longestCallMs),
    )
    .action((name: string, text: string | undefined, options: CallOptions) =>
      runToolsCall(name, text, options, context),
    );
}

async function argumentsOf(
  text: string | undefined,
  options: CallOptions,
  context: CliContext,
): Promise<JsonObject> {
  const json = text === '-' ? await readStdin(context, 'arguments') : text;
  const whole = json === undefined ? {} : jsonObject(json, 'arguments');
  const single = (options.arg ?? []).map((pair) => {
    const [name, value] = splitPair(pair, '--arg');
    if (value === undefined)
      throw new AppError('INVALID_INPUT', { field: '--arg', problem: `${name} has no =value` });
    return [name, jsonOrText(value)] as const;
  });
  return { ...whole, ...Object.fromEntries(single) };
}

/** A block as text; what is no text is named with its kind and size. */
function blockText(block: JsonObject): string {
  const { type, text, data, mimeType, uri, resource } = block;
  if (type === 'text' && typeof text === 'string') return plainText(text);
  if (typeof data === 'string')
    return `[${String(type)} ${String(mimeType)}, ${formatBytes(Math.floor((data.length * 3) / 4))}]`;
  if (isJsonObject(resource))
    return typeof resource['text'] === 'string'
      ? plainText(resource['text'])
      : `[resource ${String(resource['uri'])}]`;
  return `[${String(type)}${uri === undefined ? '' : ` ${JSON.stringify(uri)}`}]`;
}

async function runToolsCall(
  name: string,
  text: string | undefined,
  options: CallOptions,
  context: CliContext,
): Promise<void> {
  const args = await argumentsOf(text, options, context);
  const client = await connectRest(options, context);
  const result = await client.call(
    'toolsCall',
    { body: { name, arguments: args } },
    options.timeoutMs ?? longestCallMs,
  );
  if (result.isError === true) context.exitCode = 1;
  if (options.json === true) printJson(context, result);
  else printLines(context, result.content.map(blockText));
}
