/** `servers add <name> …`: adds a server to the running coordinator; it is kept over restarts. */

import { type Command, Option } from 'commander';
import { parseServerEntry } from '../../config/parse-server-entry.ts';
import { entryCategories } from '../../config/server-entry.ts';
import { AppError } from '../../kernel/errors.ts';
import type { JsonObject } from '../../kernel/json-rpc.ts';
import { integerOption, jsonObject, readInput, repeated, splitPair } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { note, printJson } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

interface AddOptions extends RestOptions {
  readonly builtin?: string;
  readonly entry?: string;
  readonly env?: readonly string[];
  readonly header?: readonly string[];
  readonly cwd?: string;
  readonly category?: string;
  readonly port?: number;
  readonly replicas?: number;
  readonly lazy?: boolean;
  readonly title?: string;
  readonly tag?: readonly string[];
}

const examples = `servers add docs https://mcp.example.org/mcp --header Authorization=env:DOCS_TOKEN
  git-memory-mcp servers add files -- npx -y @modelcontextprotocol/server-filesystem /srv/files

Values of --env and --header may be "env:NAME" or "file:path": the coordinator reads them when it starts the
server, and they are stored as references. Give secrets so, never as they are.`;

/** The verb `servers add`. */
export function serversAddCommand(context: CliContext): Command {
  return restCommand('add', 'Add a server and start it; kept over restarts.', examples)
    .argument('<name>', 'name of the server; the prefix of its tools')
    .argument('[target...]', 'its URL, or after -- its command with arguments')
    .option('--builtin <name>', 'one more instance of a built-in server')
    .option('--entry <file>', 'the whole entry as JSON, in the form of mcpServers; - reads standard input')
    .option('--env <name=value>', 'environment of the command (repeatable)', repeated)
    .option('--header <name=value>', 'HTTP header for the URL (repeatable)', repeated)
    .option('--cwd <folder>', 'folder the command runs in')
    .addOption(new Option('--category <category>', 'category it is routed in').choices(entryCategories))
    .option('--port <port>', 'its own port', integerOption('--port', 1, 65_535))
    .option('--replicas <count>', 'connections or processes kept', integerOption('--replicas', 1, 64))
    .option('--lazy', 'start it at its first call')
    .option('--title <text>', 'name for people')
    .option('--tag <label>', 'label to select it by (repeatable)', repeated)
    .action((name: string, target: string[], options: AddOptions) =>
      runServersAdd(name, target, options, context),
    );
}

/** `NAME=env:VARIABLE` and `NAME=file:path` become references. */
function valueMap(pairs: readonly string[] | undefined, field: string): JsonObject | undefined {
  if (!pairs) return undefined;
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name, value] = splitPair(pair, field);
      if (value === undefined)
        throw new AppError('INVALID_INPUT', { field, problem: `${name} has no =value` });
      const reference = /^(env|file):(.+)$/s.exec(value);
      return [name, reference ? { [reference[1]!]: reference[2]! } : value];
    }),
  );
}

function launchOf(target: readonly string[], options: AddOptions): JsonObject {
  const [first, ...rest] = target;
  if (options.builtin !== undefined) return { builtin: options.builtin };
  if (first === undefined) {
    throw new AppError('INVALID_INPUT', {
      field: 'target',
      problem: 'is missing: give a URL, or -- and a command, or --builtin, or --entry',
    });
  }
  if (/^https?:\/\//i.test(first) && rest.length === 0) return { url: first };
  return { command: first, ...(rest.length > 0 && { args: rest }) };
}

async function entryOf(
  target: readonly string[],
  options: AddOptions,
  context: CliContext,
): Promise<JsonObject> {
  const { category, port, replicas, lazy, title, cwd } = options;
  const base =
    options.entry === undefined
      ? launchOf(target, options)
      : jsonObject(await readInput(options.entry, context, '--entry'), '--entry');
  const given = {
    env: valueMap(options.env, '--env'),
    headers: valueMap(options.header, '--header'),
    category,
    port,
    replicas,
    lazy,
    title,
    cwd,
    tags: options.tag,
  };
  return { ...base, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}

async function runServersAdd(
  name: string,
  target: readonly string[],
  options: AddOptions,
  context: CliContext,
): Promise<void> {
  const entry = await entryOf(target, options, context);
  // Checked here as well: the nearest right key is told even when no coordinator runs.
  parseServerEntry(name, entry);
  const client = await connectRest(options, context);
  const server = await client.call('serversAdd', { body: { name, entry } });
  if (options.json === true) printJson(context, server);
  else
    note(
      context,
      `added ${server.id} on port ${server.port}: ${server.state}${server.reason === undefined ? '' : ` (${server.reason})`}`,
    );
}
