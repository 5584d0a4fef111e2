/** `memory remotes list|add|remove`: Git remotes that come and go while the coordinator runs. */

import { Argument, type Command, Option } from 'commander';
import type { RemoteEntry } from '../../contract/rest/remote-routes.ts';
import { AppError } from '../../kernel/errors.ts';
import type { MemoryOutput } from '../../kernel/memory/operations.ts';
import { integerOption } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { note, printJson, printTable } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

const actions = ['list', 'add', 'remove'] as const;

interface RemotesOptions extends RestOptions {
  readonly branch?: string;
  readonly direction?: NonNullable<RemoteEntry['direction']>;
  readonly every?: number;
  readonly username?: string;
  readonly credential?: string;
}

/** The verb `memory remotes`. */
export function memoryRemotesCommand(context: CliContext): Command {
  return restCommand(
    'remotes',
    'List the Git remotes of the memory, add one over http or https, or remove an added one; kept over restarts.',
    `memory remotes list
  git-memory-mcp memory remotes add team https://git.example.org/team/memory.git --credential env:GIT_MEMORY_REMOTE_TEAM
  git-memory-mcp memory remotes remove team

Paths, ssh and credentials from files are for the config (memory.remotes). The variable of --credential is read by the
coordinator for each round, and must begin with GIT_MEMORY_REMOTE_.`,
  )
    .addArgument(new Argument('<action>', 'what to do').choices(actions))
    .argument('[name]', 'for add and remove: small letters, digits and -')
    .argument('[url]', 'for add: where it is, without user name and token')
    .option('--branch <name>', 'add: its branch that holds the memory (default: main)')
    .addOption(
      new Option('--direction <way>', 'add: which way memories go (default: both)').choices([
        'both',
        'pull',
        'push',
      ]),
    )
    .option(
      '--every <seconds>',
      'add: from one round to the next; 0 for only when asked (default: 300)',
      integerOption('--every', 0, 2_592_000),
    )
    .option('--username <name>', 'add: name that goes with the credential (default: git)')
    .option('--credential <reference>', 'add: env:NAME of the token or password')
    .action(
      (
        action: (typeof actions)[number],
        name: string | undefined,
        url: string | undefined,
        options: RemotesOptions,
      ) => runMemoryRemotes({ action, name, url }, options, context),
    );
}

interface Asked {
  readonly action: (typeof actions)[number];
  readonly name: string | undefined;
  readonly url: string | undefined;
}

async function runMemoryRemotes(
  { action, name, url }: Asked,
  options: RemotesOptions,
  context: CliContext,
): Promise<void> {
  if (action === 'list') return listRemotes(options, context);
  const wanted = required('name', name);
  if (action === 'remove') return removeRemote(wanted, options, context);
  return addRemote(wanted, entryOf(required('url', url), options), options, context);
}

function required(field: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw new AppError('INVALID_INPUT', { field, problem: 'is missing' });
}

function entryOf(url: string, options: RemotesOptions): RemoteEntry {
  const { branch, direction, every: everySeconds, username, credential } = options;
  const [, env] = /^env:(.+)$/.exec(credential ?? '') ?? [];
  if (credential !== undefined && env === undefined) {
    const problem =
      'must be env:NAME, the environment variable that holds the token; a token itself is never taken';
    throw new AppError('INVALID_INPUT', { field: '--credential', problem });
  }
  return {
    url,
    branch,
    direction,
    everySeconds,
    username,
    ...(env !== undefined && { credential: { env } }),
  };
}

async function listRemotes(options: RemotesOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const { remotes } = await client.call('remotesList', {});
  if (options.json === true) printJson(context, { remotes });
  else printRemotes(remotes, context);
}

function printRemotes(remotes: MemoryOutput<'sync'>['remotes'], context: CliContext): void {
  printTable(context, remotes, [
    { title: 'REMOTE', value: ({ name }) => name },
    { title: 'FROM', value: ({ source }) => source },
    { title: 'DIRECTION', value: ({ direction }) => direction },
    { title: 'BRANCH', value: ({ branch }) => branch },
    { title: 'STATE', value: ({ state }) => state },
    { title: 'URL', value: ({ url }) => url },
  ]);
  if (remotes.length === 0) note(context, 'no remotes: memory remotes add, or memory.remotes in the config');
}

async function addRemote(
  name: string,
  entry: RemoteEntry,
  options: RemotesOptions,
  context: CliContext,
): Promise<void> {
  const client = await connectRest(options, context);
  const { remotes } = await client.call('remotesAdd', { body: { name, entry } });
  if (options.json === true) printJson(context, { remotes });
  else note(context, `added ${name}; memory sync ${name} begins a round now`);
}

async function removeRemote(name: string, options: RemotesOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const answer = await client.call('remotesRemove', { params: { name } });
  if (options.json === true) printJson(context, answer);
  else {
    const again = ['git-memory-mcp memory remotes add', answer.removed, ...argumentsOf(answer.entry)].join(
      ' ',
    );
    note(context, `removed ${answer.removed}; to have it back: ${again}`);
  }
}

/** What makes the same remote again. */
function argumentsOf({ url, branch, direction, everySeconds, username, credential }: RemoteEntry): string[] {
  const given = {
    branch,
    direction,
    every: everySeconds,
    username,
    credential: credential && `env:${credential.env}`,
  };
  return [
    url,
    ...Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`--${name} ${value}`])),
  ];
}
